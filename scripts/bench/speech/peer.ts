import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** A speech recogniser in a process of its own, its model loaded. */
export interface Peer {
  readonly name: string
  /** What it is, as it says itself: versions, instruction sets. */
  readonly version: string
  readonly pid: number
  /** @returns the words of a WAV file */
  transcribe(path: string): Promise<string>
  stop(): Promise<void>
}

/** Why a recogniser takes no part. */
export interface Absent {
  readonly name: string
  readonly reason: string
}

/** What a peer is started with. */
export interface PeerOptions {
  /** A faster-whisper folder: the weights that all have. */
  readonly weightsDir: string
  /** Packages are kept here. */
  readonly cacheDir: string
  /** These weights in other formats. */
  readonly convertedDir: string
  /** Whether missing packages may be fetched. */
  readonly mayInstall: boolean
  readonly threads: number
}

/**
 * A process that answers on stdout one line of JSON for each on stdin: first `{"version": …}` when it is ready, then
 * `{"text": …}` for each `{"file": …}`. Anything else on stdout is passed over.
 */
export async function startLinePeer(
  name: string,
  [command = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  async function answer(member: 'version' | 'text'): Promise<string> {
    for (;;) {
      const { value, done } = await answers.next()
      if (done) throw new Error(`${name} ended without an answer.`)
      const text = stringIn(value, member)
      if (text !== undefined) return text
    }
  }

  return {
    name,
    version: await answer('version'),
    pid: child.pid ?? 0,
    transcribe(path) {
      child.stdin.write(`${JSON.stringify({ file: path })}\n`)
      return answer('text')
    },
    async stop() {
      child.stdin.end()
      await ended(child)
    },
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

function stringIn(line: string, member: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  const value: unknown = JSON.parse(line)
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, member) : undefined
  return typeof found === 'string' ? found : undefined
}

/** Of all threads of a process. */
export interface Usage {
  readonly cpuSeconds: number
  readonly rssBytes: number
}

// sysconf(_SC_CLK_TCK) and the smallest page of every Linux that Node runs on.
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** @returns NaN for both where there is no /proc */
export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // proc(5): the name in brackets may hold anything, the state after it is field 3, utime 14, stime 15, rss 24.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] || Number.NaN)
  return { cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND, rssBytes: field(24) * PAGE_BYTES }
}
