import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../../services/wire/package-root.ts'

export const MAIN = join(packageRoot, 'dist', 'emulator', 'cli', 'main.js')

export interface Started {
  readonly child: ChildProcess
  readonly ready: ReadyLine
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
}

/** The line of type `ready` that `start --json` prints. */
export interface ReadyLine {
  readonly url: string
  readonly key: string
  readonly curl: string
  readonly profile: string
  readonly hosts: readonly { readonly name: string }[]
  readonly backends: Readonly<Record<string, string>>
}

export interface Finished {
  readonly exitCode: number | string
  readonly stdout: string
  readonly stderr: string
}

type CleanUp = (cleanUp: () => Promise<void>) => void

export async function temporaryFolder(onTestFinished: CleanUp): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-e2e-'))
  // A killed environment's database may still be writing its last file.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
  return folder
}

/** Runs the built command to its end. */
export async function runCommand(args: readonly string[], workingDir: string): Promise<Finished> {
  const child = spawnCommand(args, workingDir)
  const [stdout, stderr, exitCode] = await Promise.all([textOf(child.stdout), textOf(child.stderr), endOf(child)])
  return { exitCode, stdout, stderr }
}

/** Runs `start --json` until its ready line; the process is killed when the test ends. */
export async function startCommand(
  args: readonly string[],
  workingDir: string,
  onTestFinished: CleanUp,
): Promise<Started> {
  const child = spawnCommand(['start', '--json', '--port', 'auto', '--backends', 'embedded', ...args], workingDir)
  const ended = endOf(child)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const errors = textOf(child.stderr)
  if (!child.stdout) throw new Error('No standard output.')
  for await (const line of createInterface({ input: child.stdout })) {
    const event: unknown = JSON.parse(line)
    // The command's own documented line; the tests that use its members would fail on another shape.
    if (isReady(event)) return { child, ready: event, ended }
  }
  throw new Error(`start ended before it was ready: ${await errors}`)
}

export function spawnCommand(args: readonly string[], workingDir: string): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { cwd: workingDir, stdio: ['ignore', 'pipe', 'pipe'] })
}

export function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')))
}

export async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}

function isReady(event: unknown): event is ReadyLine {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === 'ready'
}
