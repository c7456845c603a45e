/**
 * How long `aldea-local start` takes from the command to readiness, and what the time goes into.
 *
 *   npm run bench start [-- runs]
 *
 * Cold: nothing kept, neither the state folder nor the cache. Warm: the second and later starts in one folder.
 * Each run is a process of its own, of the built command; a waterfall of the median run follows the figures.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../services/wire/package-root.ts'
import { median } from '../median.ts'

interface Step {
  readonly part: string
  readonly fromMs: number
  readonly toMs: number
}

interface Run {
  readonly readyMs: number
  readonly steps: readonly Step[]
}

const MAIN = join(packageRoot, 'dist', 'emulator', 'cli', 'main.js')
const TARGET_MS = { cold: 1_500, warm: 1_000 } as const
const BAR_CELLS = 60

const runs = Number(process.argv[2] ?? 7)
const cold: Run[] = []
const warm: Run[] = []

for (let index = 0; index < runs; index += 1) {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-bench-start-'))
  cold.push(await start(folder))
  warm.push(await start(folder))
  await rm(folder, { recursive: true, force: true })
}
report('cold', cold)
report('warm', warm)

async function start(folder: string): Promise<Run> {
  const from = Date.now()
  const child = spawn(process.execPath, [MAIN, 'start', '--json', '--port', 'auto', '--backends', 'embedded'], {
    cwd: folder,
    env: { ...process.env, ALDEA_CACHE_DIR: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const steps: Step[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { type: string; at: number; part?: string; tookMs?: number }
    const at = event.at - from
    if (event.type === 'part.ready') steps.push({ part: event.part ?? '', fromMs: at - (event.tookMs ?? 0), toMs: at })
    if (event.type !== 'ready') continue
    child.kill('SIGINT')
    await ended
    return { readyMs: at, steps }
  }
  throw new Error('start ended before it was ready')
}

function report(name: keyof typeof TARGET_MS, all: readonly Run[]): void {
  const times = all.map(({ readyMs }) => readyMs)
  const middle = median(times)
  console.log(
    `${name}: ready after ${middle} ms (median of ${all.length}; ${Math.min(...times)} to ${Math.max(...times)}; target ${TARGET_MS[name]})`,
  )
  const run = all.find(({ readyMs }) => readyMs === middle)
  if (!run) return
  const width = Math.max(...run.steps.map(({ part }) => part.length))
  const cell = (ms: number): number => Math.round((ms / run.readyMs) * BAR_CELLS)
  for (const { part, fromMs, toMs } of run.steps.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const bar = ' '.repeat(cell(fromMs)) + '█'.repeat(Math.max(1, cell(toMs) - cell(fromMs)))
    console.log(`  ${part.padEnd(width)}  ${bar.padEnd(BAR_CELLS + 1)} ${fromMs} to ${toMs} ms`)
  }
}
