import { toStartError } from '../account/postgres.ts'
import { systemClock } from '../wire/clock.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'
import { type DbSyncConfig, parseConfig } from './config.ts'
import type { Delivery } from './delivery.ts'
import { startForwarder } from './forwarder.ts'
import { startListener } from './listener.ts'
import { startSeeding } from './seeding.ts'

/** A change whose notification was lost waits this long at most. */
const SWEEP_EVERY_MS = 2_000
/** How long `stop` waits for the batch in hand and for goodbyes. */
const STOP_DEADLINE_MS = 2_000

/**
 * Tells the queue, or Redis where there is no queue, which organisations have changed, as PostgreSQL's outbox has it. Any
 * number of replicas share the work. Watches over Redis too, where a function can fill it.
 */
export async function start(variables: Variables, runtime: Runtime): Promise<Running> {
  const config = parseConfig(variables)
  const { clock, ids, log } = runtime
  const url = config.DATABASE_URL
  // Loading the SDK takes longer than connecting; both at once.
  const opening = openDelivery(config, runtime)
  const wakes = { onWake: (): void => undefined }
  const listener = await startListener(url, {
    clock,
    ids,
    log,
    checkEveryMs: SWEEP_EVERY_MS,
    onWake: () => wakes.onWake(),
  }).catch(async (error: unknown) => {
    await opening.then((delivery) => delivery.stop())
    throw toStartError(url, error)
  })
  const [delivery, seeding] = await Promise.all([opening, startSeeding(config, runtime)])
  const forwarder = startForwarder(url, { delivery, clock, ids, log, sweepEveryMs: SWEEP_EVERY_MS })
  wakes.onWake = forwarder.wake

  /** Goodbyes to what swallows everything would wait for ever. */
  async function stop(): Promise<void> {
    const deadline = systemClock.after(STOP_DEADLINE_MS, abandon)
    await forwarder.drain()
    await Promise.all([listener.stop(), delivery.stop(), seeding.stop()])
    deadline.cancel()
  }

  function abandon(): void {
    forwarder.abandon()
    listener.kill()
    delivery.abandon()
    seeding.kill()
  }

  let stopped: Promise<void> | undefined
  return {
    drain: () => forwarder.drain(),
    stop: () => (stopped ??= stop()),
    kill() {
      stopped ??= Promise.resolve()
      abandon()
    },
  }
}

async function openDelivery(config: DbSyncConfig, { log }: Runtime): Promise<Delivery> {
  const { QUEUE_URL: queueUrl, REDIS_URL: redisUrl = '', DATABASE_URL: databaseUrl } = config
  if (queueUrl === undefined) {
    const { deliverToRedis } = await import('./deliver-to-redis.ts')
    return deliverToRedis({ databaseUrl, redisUrl }, log)
  }
  const { deliverToQueue } = await import('./deliver-to-queue.ts')
  return deliverToQueue(queueUrl, config)
}
