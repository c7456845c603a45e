import type { MessageSource } from '../../backends/queue/port.ts'
import type { EventSourceSpec } from '../../core/system.ts'
import type { LoadedFunction } from '../function.ts'
import { ServiceError } from '../service-error.ts'

/** Without a window, and for FIFO queues. */
const SMALL_BATCH = 10
const LARGEST_BATCH = 10_000
const LONGEST_WINDOW_SECONDS = 300

/** Refuses what CreateEventSourceMapping refuses. @throws ServiceError */
export async function assertMapping(
  spec: EventSourceSpec,
  source: MessageSource,
  { settings }: Pick<LoadedFunction, 'settings'>,
): Promise<void> {
  const visibilitySeconds = await source.visibilityTimeoutSeconds()
  const problem = problemOf(spec, source.arn.endsWith('.fifo'), visibilitySeconds, settings.timeoutSeconds)
  if (problem !== undefined) throw new ServiceError('InvalidParameterValueException', problem)
}

function problemOf(
  { batchSize, maximumBatchingWindowSeconds: windowSeconds, maximumConcurrency }: EventSourceSpec,
  isFifo: boolean,
  visibilitySeconds: number,
  timeoutSeconds: number,
): string | undefined {
  if (visibilitySeconds < timeoutSeconds) {
    return `Queue visibility timeout: ${visibilitySeconds} seconds is less than Function timeout: ${timeoutSeconds} seconds`
  }
  if (!isWithin(windowSeconds, 0, LONGEST_WINDOW_SECONDS)) {
    return `MaximumBatchingWindowInSeconds must be 0 to ${LONGEST_WINDOW_SECONDS}: ${windowSeconds}`
  }
  if (isFifo && windowSeconds > 0) return 'Batching window is not supported for FIFO queues.'
  const largest = isFifo || windowSeconds === 0 ? SMALL_BATCH : LARGEST_BATCH
  if (!isWithin(batchSize, 1, largest)) {
    return `BatchSize must be 1 to ${largest} for this queue and window: ${batchSize}`
  }
  if (maximumConcurrency !== undefined && !isWithin(maximumConcurrency, 2, 1_000)) {
    return `MaximumConcurrency must be 2 to 1000: ${maximumConcurrency}`
  }
  return undefined
}

function isWithin(value: number, from: number, to: number): boolean {
  return Number.isInteger(value) && value >= from && value <= to
}
