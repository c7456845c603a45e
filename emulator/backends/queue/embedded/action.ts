import { findQueue, type Store } from './store.ts'
import { requireText } from './input.ts'
import type { Queue } from './queue.ts'

/** Parameters by their names in the JSON protocol, not yet checked. */
export type Input = Readonly<Record<string, unknown>>

/** The answer as the JSON protocol has it. */
export type Output = Readonly<Record<string, unknown>>

export interface Call {
  readonly store: Store
  /** `http://127.0.0.1:4566/000000000000/`: what queue URLs begin with, as this client reached us. */
  readonly urlBase: string
  /** Whether the strings of its input are known to have no character that is refused, or escaped in JSON. */
  readonly isVerbatim: boolean
  /** Aborted when the client has gone. Made when first asked for: most actions need none. */
  readonly signal: () => AbortSignal
}

/** One action of the API. @throws QueueError */
export type Action = (call: Call, input: Input) => Output | Promise<Output>

/** The queue that the parameter QueueUrl names: its host and account do not matter. @throws QueueError */
export function queueOf(call: Call, input: Input): Queue {
  const url = requireText(input, 'QueueUrl')
  const end = url.endsWith('/') ? url.length - 1 : url.length
  return findQueue(call.store, url.slice(url.lastIndexOf('/', end - 1) + 1, end))
}

export const NOTHING: Output = {}
