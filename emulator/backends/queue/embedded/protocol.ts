import type { Input, Output } from './action.ts'
import type { QueueError } from './errors.ts'

/** A request in one of the two protocols. */
export interface Request {
  readonly protocol: Protocol
  readonly action: string
  /** Parameters as the JSON protocol has them. */
  readonly input: Input
  /** Whether its strings need no look at their characters. */
  readonly isVerbatim: boolean
}

export interface Protocol {
  readonly contentType: string
  success(action: string, output: Output, requestId: string): string
  failure(error: QueueError, requestId: string): string
}
