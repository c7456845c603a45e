import type { Clock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { MessageSource, SourceMessage } from '../backends/queue/port.ts'
import type { EventSourceSpec } from '../core/system.ts'
import { type Batch, openBatch } from './event-source/batch.ts'
import { failedOf } from './event-source/batch-result.ts'
import { assertMapping } from './event-source/settings.ts'
import type { LoadedFunction } from './function.ts'
import type { Outcome } from './instance.ts'
import { createPollerSlots } from './event-source/poller-slots.ts'
import { STOP_DEADLINE_MS } from './limits.ts'
import { isThrottled } from './service-error.ts'

export type MappingState = 'Enabled' | 'Disabling' | 'Disabled'

/** An event source mapping: hands the messages of a queue to a function. */
export interface EventSourceMapping {
  readonly uuid: string
  readonly functionArn: string
  readonly sourceArn: string
  readonly spec: EventSourceSpec
  readonly state: MappingState
  readonly lastModifiedMs: number
  readonly lastProcessingResult: string
  /** Begins or ends reading; batches that run are finished. */
  setEnabled(isEnabled: boolean): void
  /** Ends reading and finishes the batches that run; those that take longer than a few seconds are killed. */
  stop(): Promise<void>
}

export interface EventSourceDeps {
  readonly spec: EventSourceSpec
  readonly source: MessageSource
  readonly target: LoadedFunction
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
}

/** The longest that SQS lets a receive wait. */
const LONG_POLL_MS = 20_000

/** Between two tries while the queue cannot be read or the function is throttled; doubled each time. */
const FIRST_BACK_OFF_MS = 500
const LONGEST_BACK_OFF_MS = 30_000

const NOTHING_YET = 'No records processed'

/**
 * Reads the queue at all times, so that a message is handed over as it arrives. What a batch is made of is deleted when
 * its function has answered; what failed is left alone, and returns when its visibility timeout is over.
 * @throws ServiceError for settings the cloud refuses.
 */
export async function startEventSource(deps: EventSourceDeps): Promise<EventSourceMapping> {
  const { spec, source, target, clock, ids, log } = deps
  await assertMapping(spec, source, target)
  const slots = createPollerSlots(clock, spec.maximumConcurrency)
  const running = new Set<Promise<void>>()
  let lastProcessingResult = NOTHING_YET
  let lastModifiedMs = clock.now()
  let throttledMs = 0
  let reading: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined

  /** As many as the batch takes; they are the caller's even when it was aborted meanwhile. */
  const receive = (max: number, waitMs: number, signal: AbortSignal): Promise<readonly SourceMessage[]> =>
    source.receive({ max, waitMs: Math.min(waitMs, LONG_POLL_MS), signal })

  async function read(signal: AbortSignal): Promise<void> {
    let failedMs = 0
    while (!signal.aborted) {
      await slots.free(signal)
      if (throttledMs > 0) await pause(throttledMs, signal)
      if (signal.aborted) return
      try {
        const messages = await receive(spec.batchSize, LONG_POLL_MS, signal)
        if (messages.length === 0) slots.shrink()
        else await collect(messages, signal)
        failedMs = 0
      } catch (error) {
        if (signal.aborted) return
        if (failedMs === 0) log.warn({ err: error, queue: spec.queue }, 'the queue cannot be read')
        failedMs = doubled(failedMs)
        await pause(failedMs, signal)
      }
    }
  }

  /** Fills batches from the first message on until one is full or its window is over. */
  async function collect(first: readonly SourceMessage[], signal: AbortSignal): Promise<void> {
    const windowMs = spec.maximumBatchingWindowSeconds * 1_000
    let batch = openBatch(spec.batchSize, source.arn)
    let closesAt = clock.now() + windowMs
    const put = async (messages: readonly SourceMessage[]): Promise<void> => {
      for (const message of messages) {
        if (batch.add(message)) continue
        await dispatch(batch.close(), signal)
        batch = openBatch(spec.batchSize, source.arn)
        closesAt = clock.now() + windowMs
        batch.add(message)
      }
    }
    try {
      await put(first)
      while (batch.room > 0 && clock.now() < closesAt && !signal.aborted) {
        await put(await receive(batch.room, closesAt - clock.now(), signal))
      }
    } finally {
      await dispatch(batch.close(), signal)
    }
  }

  /** Starts the batch as soon as there is a place for it, or at once when reading has ended. */
  async function dispatch(batch: Batch, signal: AbortSignal): Promise<void> {
    await slots.free(signal)
    slots.take()
    const done = handOver(batch).finally(() => {
      running.delete(done)
      slots.release()
    })
    running.add(done)
  }

  async function handOver({ messages, payload }: Batch): Promise<void> {
    try {
      const outcome = await target.run({ requestId: ids.uuid(), payload })
      throttledMs = 0
      const failed = failedIn(outcome, messages)
      lastProcessingResult = failed.size === 0 ? 'OK' : `PROBLEM: ${failed.size} of ${messages.length} messages failed`
      const done = messages.filter(({ messageId }) => !failed.has(messageId))
      if (done.length > 0) await source.delete(done.map(({ receiptHandle }) => receiptHandle))
    } catch (error) {
      if (isThrottled(error)) throttledMs = doubled(throttledMs)
      lastProcessingResult = isThrottled(error) ? 'PROBLEM: Function call throttled' : 'PROBLEM: Internal error'
      log.warn({ err: error, queue: spec.queue, messages: messages.length }, 'a batch was not handed over')
    }
  }

  function failedIn({ failure, payload }: Outcome, messages: readonly SourceMessage[]): ReadonlySet<string> {
    const messageIds = messages.map(({ messageId }) => messageId)
    if (failure) return new Set(messageIds)
    return spec.reportBatchItemFailures ? failedOf(payload, messageIds) : new Set()
  }

  /** Ends early when aborted. */
  const pause = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal).catch(() => undefined)

  function begin(): void {
    const before = reading
    const abort = new AbortController()
    const ended = (before?.ended ?? Promise.resolve()).then(() => read(abort.signal))
    reading = { abort, ended }
  }

  begin()

  return {
    uuid: ids.uuid(),
    functionArn: target.arn,
    sourceArn: source.arn,
    spec,
    get state() {
      if (!reading?.abort.signal.aborted) return 'Enabled'
      return running.size > 0 ? 'Disabling' : 'Disabled'
    },
    get lastModifiedMs() {
      return lastModifiedMs
    },
    get lastProcessingResult() {
      return lastProcessingResult
    },
    setEnabled(isEnabled) {
      lastModifiedMs = clock.now()
      if (!isEnabled) reading?.abort.abort()
      else if (reading?.abort.signal.aborted) begin()
    },
    async stop() {
      reading?.abort.abort()
      await reading?.ended
      const deadline = clock.deadline(STOP_DEADLINE_MS, () => target.kill())
      await Promise.all(running)
      deadline.cancel()
    },
  }
}

function doubled(ms: number): number {
  return ms === 0 ? FIRST_BACK_OFF_MS : Math.min(2 * ms, LONGEST_BACK_OFF_MS)
}
