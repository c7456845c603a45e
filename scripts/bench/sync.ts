/**
 * From the commit of an organisation's change in PostgreSQL to the moment Redis has it, through trigger, NOTIFY,
 * db-sync, queue and function: the first change of all, a bulk change, one after a silence, one at a time, then a steady
 * stream. Before each of them everything earlier has arrived: otherwise it would stand in line behind it. The
 * environment has a process of its own; this one writes, and asks Redis again and again.
 * Usage: `tsx scripts/bench/sync.ts [idle changes] [seconds]`.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { startEnvironment, systemClock } from '../../emulator/index.ts'

const IDLE_CHANGES = 200
const IDLE_PAUSE_MS = 20
const LOAD_SECONDS = 10
const CHANGES_PER_SECOND = 500
const ORGANISATIONS = 1_000
/** Longer than pools keep connections that nobody uses, where they do not keep them. */
const SILENCE_MS = 12_000
const SETTLING_LOOK_EVERY_MS = 5
const LOOK_AT_ONE_EVERY_MS = 1
/** Answers come through the process that is measured: a few milliseconds too many cost less than looking all the time. */
const LOOK_AT_MANY_EVERY_MS = 5
const TARGETS_MS = { idle: 25, load: 100 }

if (process.send) await serve(process.send.bind(process))
else await measure(Number(process.argv[2] ?? IDLE_CHANGES), Number(process.argv[3] ?? LOAD_SECONDS))

async function serve(send: (message: unknown) => void): Promise<void> {
  const environment = await startEnvironment({
    engine: 'scripted',
    cacheDir: join(tmpdir(), 'aldea-bench-cache'),
    backends: { mode: 'embedded' },
  })
  send(environment.variables)
  process.on('message', () => send(process.cpuUsage()))
  // Gone without a word when the other process has failed.
  await once(process, 'disconnect')
  await environment.stop()
}

async function measure(idleChanges: number, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: process.execArgv })
  const ended = once(child, 'exit')
  const started = once(child, 'message') as Promise<[Record<string, string>]>
  const [variables] = await Promise.race([started, ended.then(() => Promise.reject(new Error('It did not start.')))])
  const pool = new Pool({ connectionString: variables['DATABASE_URL'], max: 4 })
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '', QUEUE_URL: queueUrl = '' } = variables
  const sqs = new SQSClient({ endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
  const settled = (): Promise<void> => settle(pool, sqs, queueUrl)
  const organisation = (count: number): string => `org-${(count % ORGANISATIONS) + 1}`

  const arrivals = watchArrivals(redis)

  await createOrganisations(pool, 0, 0)
  report('first change', [await arrivals.arrival('org-0', 1, performance.now())])
  await createOrganisations(pool, 1, ORGANISATIONS)
  const bulkSince = performance.now()
  await settled()
  report(`${ORGANISATIONS} organisations in one change, until the last`, [performance.now() - bulkSince])
  await systemClock.sleep(SILENCE_MS)
  report(`after ${SILENCE_MS / 1_000} s of silence`, [await change(pool, arrivals, 'org-0', 2)])
  await settled()

  const idle: number[] = []
  for (let count = 0; count < idleChanges; count += 1) {
    idle.push(await change(pool, arrivals, organisation(count), count + 2))
    await systemClock.sleep(IDLE_PAUSE_MS)
  }
  report('one at a time', idle, TARGETS_MS.idle)
  await settled()
  const before = await cpuMsOf(child)
  const load = await steadily(seconds * CHANGES_PER_SECOND, (count) =>
    change(pool, arrivals, organisation(count), count + idleChanges + 2),
  )
  report(`${CHANGES_PER_SECOND} a second`, load, TARGETS_MS.load)
  await settled()
  const cpuMs = (await cpuMsOf(child)) - before
  console.log(`${(cpuMs / load.length).toFixed(2)} ms of CPU a change, in the environment's process`)

  child.disconnect()
  sqs.destroy()
  redis.disconnect()
  await Promise.all([pool.end(), ended])
}

/** CPU time of the environment's process so far. */
async function cpuMsOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
  return (user + system) / 1_000
}

/** `org-<first>` to `org-<last>`, in one transaction. */
async function createOrganisations(pool: Pool, first: number, last: number): Promise<void> {
  await pool.query(
    `WITH added AS (
       INSERT INTO organisations SELECT 'org-' || n, '', to_timestamp(0) FROM generate_series(${first}, ${last}) n
       RETURNING id
     )
     INSERT INTO limits (organisation_id, max_connections) SELECT id, 1 FROM added`,
  )
}

/** Waits until nothing is on its way, neither in the outbox nor in the queue. */
async function settle(pool: Pool, sqs: SQSClient, QueueUrl: string): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query('SELECT FROM organisation_outbox LIMIT 1')
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
    const { ApproximateNumberOfMessages: ready, ApproximateNumberOfMessagesNotVisible: inFlight } = Attributes
    if (rowCount === 0 && ready === '0' && inFlight === '0') return
    await systemClock.sleep(SETTLING_LOOK_EVERY_MS)
  }
}

interface Arrivals {
  /** Milliseconds from `since` until Redis has this or a later value of the organisation. */
  arrival(organisation: string, value: number, since: number): Promise<number>
}

/** Asks for all that are waited for at once: looking must not cost what is looked at its time. */
function watchArrivals(redis: Redis): Arrivals {
  const waiting = new Map<string, { readonly organisation: string; readonly value: number; arrived(): void }>()
  let isLooking = false

  async function look(): Promise<void> {
    while (waiting.size > 0) {
      const asked = [...waiting.entries()]
      const reading = redis.pipeline()
      for (const [, { organisation }] of asked) reading.hget(`org:${organisation}:limits`, 'max_connections')
      const answers = (await reading.exec()) ?? []
      for (const [index, [name, { value, arrived }]] of asked.entries()) {
        if (Number(answers[index]?.[1]) < value) continue
        waiting.delete(name)
        arrived()
      }
      await systemClock.sleep(waiting.size > 1 ? LOOK_AT_MANY_EVERY_MS : LOOK_AT_ONE_EVERY_MS)
    }
    isLooking = false
  }

  return {
    arrival: (organisation, value, since) =>
      new Promise((resolve, reject) => {
        const arrived = (): void => resolve(performance.now() - since)
        waiting.set(`${organisation} ${value}`, { organisation, value, arrived })
        if (isLooking) return
        isLooking = true
        look().catch(reject)
      }),
  }
}

/** Milliseconds from the commit until Redis has this or a later value. */
async function change(pool: Pool, { arrival }: Arrivals, organisation: string, value: number): Promise<number> {
  await pool.query('UPDATE limits SET max_connections = $2 WHERE organisation_id = $1', [organisation, value])
  return arrival(organisation, value, performance.now())
}

/** Starts `count` jobs evenly at the rate; returns what they return. */
async function steadily(count: number, job: (index: number) => Promise<number>): Promise<number[]> {
  const began = performance.now()
  const jobs: Promise<number>[] = []
  for (let index = 0; index < count; index += 1) {
    const dueInMs = began + (index * 1_000) / CHANGES_PER_SECOND - performance.now()
    if (dueInMs > 0) await systemClock.sleep(dueInMs)
    jobs.push(job(index))
  }
  return Promise.all(jobs)
}

function report(name: string, latencies: readonly number[], targetMs?: number): void {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    `${(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1)} ms`
  if (targetMs === undefined) return console.log(`${name}: ${at(1)}`)
  const spread = `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`
  console.log(`${name}: ${sorted.length} changes, ${spread} (target p99 ≤ ${targetMs} ms)`)
}
