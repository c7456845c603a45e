import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { identify } from '../../core/processes.ts'

const HOLDER = fileURLToPath(new URL('./backends-holder.ts', import.meta.url))
const KILLS = 10
/** From before anything is open, over initdb and recovery, to the first commits. */
const LATEST_MS = 1_200
/** Every other kill waits for the first commit, since on a busy machine a start may take longer than that. */
const LATEST_AFTER_COMMIT_MS = 200
const GONE_WITHIN_MS = 1_000

/** What was there at the start of a holder. */
interface Found {
  readonly ledger: number
  readonly redis?: number
}

interface Line {
  readonly found?: Found
  readonly committed?: number
}

test.runIf(process.platform === 'linux')(
  'a SIGKILL at any moment leaves no process and loses nothing that was committed',
  { timeout: 120_000 },
  async ({ expect, onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), 'aldea-kill-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const seed = Date.now() % 100_000
    const random = seeded(seed)
    let committed = 0
    const report: string[] = []

    for (let round = 0; round < KILLS; round += 1) {
      const isAfterCommit = round % 2 === 1
      const atMs = Math.round(random() * (isAfterCommit ? LATEST_AFTER_COMMIT_MS : LATEST_MS))
      const holder = startHolder(folder)
      if (isAfterCommit) await holder.first((line) => line.committed)
      await sleep(atMs)
      holder.process.kill('SIGKILL')
      await once(holder.process, 'close')
      const goneAfterMs = await msUntilNobodyUses(folder)
      expect(goneAfterMs, `killed at ${atMs} ms with seed ${seed}`).toBeLessThanOrEqual(GONE_WITHIN_MS)
      committed = Math.max(committed, ...holder.lines.map((line) => line.committed ?? 0))
      report.push(`at ${atMs} ms${isAfterCommit ? ' after a commit' : ''}: gone after ${goneAfterMs} ms`)
    }

    const last = startHolder(folder)
    onTestFinished(() => void last.process.kill('SIGKILL'))
    const found = await last.first((line) => line.found)
    process.stderr.write(`seed ${seed}; ${report.join('; ')}; ${committed} committed\n`)
    expect(committed).toBeGreaterThan(0)
    expect(found.ledger).toBeGreaterThanOrEqual(committed)
    // Emulated Redis keeps nothing, and says so by its absence here.
    if (found.redis !== undefined) expect(found.redis).toBeGreaterThanOrEqual(committed)
    last.process.kill('SIGKILL')
    await expect.poll(() => usersOf(folder)).toEqual([])
  },
)

interface Holder {
  readonly process: ChildProcess
  readonly lines: readonly Line[]
  /** The first line, past or future, that has what is wanted. */
  first<T>(wanted: (line: Line) => T | undefined): Promise<T>
}

function startHolder(folder: string): Holder {
  const args = ['--import', 'tsx', HOLDER, join(folder, 'state'), join(folder, 'cache')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = createInterface({ input: child.stdout })
  const lines: Line[] = []
  output.on('line', (text) => lines.push(JSON.parse(text) as Line))
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('close', () => reject(new Error('The holder has ended.')))
  })
  // Most are killed on purpose; only who waits for a line minds.
  ended.catch(() => {})
  return {
    process: child,
    lines,
    async first(wanted) {
      for (;;) {
        const found = lines.map(wanted).find((each) => each !== undefined)
        if (found !== undefined) return found
        await Promise.race([once(output, 'line'), ended])
      }
    },
  }
}

async function msUntilNobodyUses(folder: string): Promise<number> {
  const from = performance.now()
  for (;;) {
    const users = await usersOf(folder)
    const elapsedMs = Math.round(performance.now() - from)
    if (users.length === 0) return elapsedMs
    if (elapsedMs > 10 * GONE_WITHIN_MS) throw new Error(`Still alive: ${users.join('; ')}`)
    await sleep(10)
  }
}

/** Living processes that name the folder in their arguments or environment, or stand in it. */
async function usersOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const users = await Promise.all(
    pids.map(async (pid) => {
      const traces = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ])
      const isUser = traces.some((trace) => trace.includes(folder)) && (await identify(Number(pid)))
      return isUser ? [`${pid} ${traces[0].replaceAll('\0', ' ')}`] : []
    }),
  )
  return users.flat()
}

/** Reproducible chance: the linear congruential generator of Numerical Recipes. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
