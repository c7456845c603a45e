/**
 * Speaks into the built system, in a process of its own, through balancer, proxy and two speech servers: streams of every form, at
 * every pace, some of which break in every way there is, files among them, and a speech server that dies now and then. No word of a
 * stream that ends well may be missing, nothing may hang or grow, and the ledger must count what was sent. Exits with 1 otherwise.
 *
 *   npm run drill speech [seconds] [-- --seed N]       default 1200; needs `npm run build`; the seed is printed
 *   npm run drill speech -- --seed N --stream NUMBER   one stream of those again, by itself
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../services/wire/clock.ts'
import { seededRandom } from '../../services/wire/seeded-random.ts'
import { rateOf, sumOf, type WordErrors } from '../wer.ts'
import { createDeck } from './speech/deck.ts'
import { growthFaults } from './speech/growth.ts'
import { startHost, type HostUsage } from './speech/hosted.ts'
import { openInspector } from './speech/quiet.ts'
import { createRounds } from './speech/rounds.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, stream: { type: 'string' } },
})
const [secondsText = '1200'] = positionals
const { seed: seedText = String(Date.now() % 1_000_000) } = values
const [seconds, seed] = [Number(secondsText), Number(seedText)]

/** Between two quiet points. */
const ROUND_MS = 30_000
const MEBIBYTE = 1024 * 1024
/** By sentences that are cut by Finalize and by short endpoints. */
const MOST_MORE_ERRORS = 0.08
const LEAST_WORDS = 300

console.log(`seed ${seed}: ${seconds} s`)
const folder = await mkdtemp(join(tmpdir(), 'aldea-drill-speech-'))
const host = await startHost(folder)
try {
  if (values.stream === undefined) await drill()
  else await repeat(Number(values.stream))
} finally {
  await host.stop()
  await rm(folder, { recursive: true, force: true })
}

async function drill(): Promise<void> {
  const faults: string[] = []
  const points: HostUsage[] = []
  const inspector = await openInspector(host)
  const rounds = await createRounds({ host, deck: await createDeck(seededRandom(seed)), seed })
  const end = systemClock.now() + seconds * 1_000
  for (;;) {
    const leftMs = end - systemClock.now()
    if (leftMs <= 0 || host.hasExited) break
    const { due, faults: spoken } = await rounds.run(Math.min(ROUND_MS, leftMs))
    const quiet = await inspector.inspect(due)
    take([...spoken, ...quiet.faults])
    points.push(quiet.usage)
    print(quiet.usage)
  }
  const { counts, errors, plainErrors } = rounds
  take([...growthFaults(points), ...faultsOfAll(errors, plainErrors)])
  await inspector.close()
  for (const [what, count] of [...counts].toSorted(([a], [b]) => a.localeCompare(b))) {
    console.log(`${what.padEnd(24)} ${count}`)
  }
  const told = [
    `${rounds.streams} streams`,
    `${points.length} rounds`,
    `${percent(errors)} of ${sumOf(errors).words} words other than said, ${percent(plainErrors)} undisturbed`,
    `memory ${points.map(({ rssBytes }) => mebibytes(rssBytes)).join(', ')} MiB`,
    `faults ${faults.length}`,
  ]
  console.log(told.join('; '))
  if (faults.length > 0) process.exitCode = 1

  function take(found: readonly string[]): void {
    faults.push(...found)
    for (const fault of found) console.log(`FAILED  ${fault}`)
  }
}

async function repeat(number: number): Promise<void> {
  const rounds = await createRounds({ host, deck: await createDeck(seededRandom(seed)), seed })
  const { heard, faults } = await rounds.repeat(number)
  console.log(heard)
  for (const fault of faults) console.log(`FAILED  ${fault}`)
}

function print({ rssBytes, heapBytes, cpuMs, resources }: HostUsage): void {
  const open = Object.entries(resources).map(([name, count]) => `${count} ${name}`)
  console.log(
    `memory ${mebibytes(rssBytes)} MiB, heap ${mebibytes(heapBytes)}; CPU ${(cpuMs / 1_000).toFixed(0)} s; ${open.join(', ')}`,
  )
}

/** A bound for each stream has to be wide; all of them together cannot be wrong by chance. */
function faultsOfAll(errors: readonly WordErrors[], plainErrors: readonly WordErrors[]): string[] {
  const [all, plain] = [sumOf(errors), sumOf(plainErrors)]
  if (rateOf(all) <= rateOf(plain) + MOST_MORE_ERRORS || all.words < LEAST_WORDS) return []
  return [`${percent(errors)} of all words are other than said, undisturbed only ${percent(plainErrors)}`]
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0)
}

function percent(errors: readonly WordErrors[]): string {
  return `${(100 * rateOf(sumOf(errors))).toFixed(1)} %`
}
