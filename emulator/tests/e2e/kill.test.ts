import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { endOf, runCommand, spawnCommand, startCommand, temporaryFolder } from './command.ts'

/** From before the first child to well after readiness. */
const LATEST_KILL_MS = 2_000
const KILLS = Number(process.env['DRILL_KILLS'] ?? 10)
/** A start and a kill, on a busy machine. */
const LONGEST_ROUND_MS = 10_000
/** The promise is one second; a busy machine gets more before it is called an orphan. */
const GONE_WITHIN_MS = 5_000

test.runIf(process.platform === 'linux')(
  'SIGKILL at random moments leaves no process behind and the next start works',
  { timeout: KILLS * LONGEST_ROUND_MS },
  async ({ expect, onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished)
    const moments = Array.from({ length: KILLS }, () => Math.round(Math.random() * LATEST_KILL_MS))
    const gone: number[] = []

    for (const moment of moments) {
      const child = spawnCommand(['start', '--port', 'auto', '--backends', 'embedded'], folder)
      const ended = endOf(child)
      await sleep(moment)
      child.kill('SIGKILL')
      await ended
      gone.push(await goneAfterMs(folder))
    }
    process.stderr.write(`killed after ${moments.join(', ')} ms; all gone after ${gone.join(', ')} ms\n`)

    const { ready } = await startCommand([], folder, onTestFinished)
    const clip = /@(\S+)/.exec(ready.curl)?.[1] ?? ''
    const { stdout } = await runCommand(['transcribe', clip], folder)
    expect(stdout).toMatch(/fellow Americans/)
  },
)

/** Milliseconds until no process names the folder any more. */
async function goneAfterMs(folder: string): Promise<number> {
  const from = performance.now()
  for (;;) {
    const left = await processesNaming(folder)
    const elapsed = Math.round(performance.now() - from)
    if (left.length === 0) return elapsed
    if (elapsed > GONE_WITHIN_MS) throw new Error(`Still alive after ${elapsed} ms: ${left.join('; ')}`)
    await sleep(20)
  }
}

/** The command, its servers by their arguments, and the workers of PostgreSQL by the folder they run in. */
async function processesNaming(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const described = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const workingDir = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      return `${commandLine.replaceAll('\0', ' ')} in ${workingDir}`
    }),
  )
  return described.filter((line) => line.includes(folder))
}
