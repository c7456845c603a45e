/**
 * Writes changes of organisations while PostgreSQL, Redis, db-sync, the function and the whole process are killed, and
 * both databases fail over, at random: afterwards Redis must say what PostgreSQL says, nothing acknowledged may be lost,
 * and the dead-letter queue must hold the one poisonous message that was planted, and nothing else. Exits with 1 otherwise.
 *
 *   npm run drill sync [seconds] [changes] [seed]      default 300 and 10 000; the seed is printed
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../services/wire/clock.ts'
import { type Hosted, startHost } from './sync/hosted.ts'
import { deadLetters, findFaults, plantPoison, waitUntilDrained } from './sync/judge.ts'
import { seededRandom } from '../../services/wire/seeded-random.ts'
import { startWriter, type Writer } from './sync/writer.ts'

const [secondsText = '300', changesText = '10000', seedText = String(Date.now() % 1_000_000)] = process.argv.slice(2)
const [seconds, changes, seed] = [Number(secondsText), Number(changesText), Number(seedText)]

const POISON = 'poison: no JSON'
const WRITERS = 4
/** From one kill to the next. */
const SHORTEST_GAP_MS = 500
const LONGEST_GAP_MS = 4_000
/** Each as often as it is named: the whole process takes seconds to come back. */
const TARGETS = [
  'postgres',
  'postgres',
  'redis',
  'redis',
  'db-sync',
  'db-sync',
  'function',
  'function',
  'process',
  'failover of postgres',
  'failover of redis',
] as const
/** The rest of the changes, without kills. */
const MOST_AFTERWARDS_MS = 60_000
/** Five tries of 18 s until the poison is a dead letter, and as much again. */
const MOST_DRAIN_MS = 180_000
const SHOWN_FAULTS = 10

type Target = (typeof TARGETS)[number]

const folder = await mkdtemp(join(tmpdir(), 'aldea-drill-sync-'))
console.log(`seed ${seed}: ${changes} changes in ${seconds} s`)
const host = await startHost(folder, join(tmpdir(), 'aldea-drill-cache'))
try {
  await drill(host)
} finally {
  await host.stop()
  await rm(folder, { recursive: true, force: true })
}

async function drill(hosted: Hosted): Promise<void> {
  const random = seededRandom(seed)
  await plantPoison(hosted.ready, POISON)
  const ending = new AbortController()
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    startWriter({
      name: `drill-${index}`,
      random: seededRandom(seed + index + 1),
      databaseUrl: () => hosted.ready.variables['DATABASE_URL'] ?? '',
      changes: Math.ceil(changes / WRITERS),
      paceMs: (seconds * 1_000 * WRITERS) / changes,
      signal: ending.signal,
    }),
  )
  const kills = await killAtRandom(hosted, random)
  const late = systemClock.after(MOST_AFTERWARDS_MS, () => ending.abort())
  await Promise.all(writers.map(({ done }) => done))
  late.cancel()

  const began = systemClock.now()
  const drained = await waitUntilDrained(hosted.ready, MOST_DRAIN_MS)
  const drainSeconds = (systemClock.now() - began) / 1_000
  const dead = await deadLetters(hosted.ready)
  const ledgers = writers.map(({ ledger }) => ledger)
  const faults = await findFaults(hosted.ready, ledgers)
  const acknowledged = sum(writers, (writer) => writer.acknowledged)
  if (acknowledged < changes) faults.push(`only ${acknowledged} changes were acknowledged`)
  if (drained.outbox + drained.queue > 0) faults.push(`left: ${drained.outbox} in the outbox, ${drained.queue} queued`)
  if (dead.length !== 1 || dead[0] !== POISON) faults.push(`dead letters: ${JSON.stringify(dead)}`)

  console.log(`changes acknowledged  ${acknowledged}`)
  console.log(`changes without one   ${sum(writers, (writer) => writer.failed)}`)
  for (const [target, count] of kills) console.log(`${target.padEnd(21)} ${count}`)
  console.log(`empty after           ${drainSeconds.toFixed(1)} s`)
  console.log(`dead letters          ${dead.length}`)
  console.log(`faults                ${faults.length}`)
  for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(`FAILED  ${fault}`)
  if (faults.length > 0) process.exitCode = 1
}

/** Until the time is over; returns how often each was killed. */
async function killAtRandom(hosted: Hosted, random: () => number): Promise<Map<Target, number>> {
  const kills = new Map<Target, number>()
  const end = systemClock.now() + seconds * 1_000
  for (;;) {
    await systemClock.sleep(SHORTEST_GAP_MS + random() * (LONGEST_GAP_MS - SHORTEST_GAP_MS))
    if (systemClock.now() >= end) return kills
    const target = TARGETS[Math.floor(random() * TARGETS.length)] ?? 'process'
    kills.set(target, (kills.get(target) ?? 0) + 1)
    if (target === 'process') await hosted.killAndRestart()
    else hosted.send(target)
  }
}

function sum(writers: readonly Writer[], count: (writer: Writer) => number): number {
  return writers.reduce((total, writer) => total + count(writer), 0)
}
