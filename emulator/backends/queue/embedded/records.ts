import type { WireAttributes } from './message.ts'
import type { QueueAttributes } from './queue-settings.ts'

/** A line of the journal: what happened, to which queue, what with. Times are milliseconds since the epoch. */
export type JournalRecord =
  /** Serial numbers below have been used. */
  | readonly ['serial', next: number]
  /** A queue as it is from now on; the first one makes it. */
  | readonly ['queue', uid: string, KeptQueue]
  | readonly ['drop', uid: string, name: string, atMs: number]
  /** All of its messages below this serial number are gone. */
  | readonly ['purge', uid: string, below: number]
  | readonly ['send', uid: string, KeptMessage]
  /** A message that is no more than its body, as most are: written and read without its other members. */
  | PlainRecord
  | readonly ['remove', uid: string, serial: number]
  /** What was sent in the deduplication interval and is no longer there. */
  | readonly ['remember', uid: string, key: string, messageId: string, serial: number, untilMs: number]

export type PlainRecord = readonly ['plain', uid: string, serial: number, id: string, sentAtMs: number, body: string]

export interface KeptQueue {
  readonly name: string
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly attributes: QueueAttributes
  readonly tags: Readonly<Record<string, string>>
}

/** Visibility is not kept: who received a message before the process ended may be gone with it. */
export interface KeptMessage {
  readonly serial: number
  readonly id: string
  readonly body: string
  readonly sentAtMs: number
  /** Of a delayed message. */
  readonly visibleAtMs?: number | undefined
  readonly attributes?: WireAttributes | undefined
  readonly groupId?: string | undefined
  readonly deduplicationId?: string | undefined
  readonly traceHeader?: string | undefined
  readonly deadLetterSource?: string | undefined
  /** As of the last time the journal was rewritten or the message moved. */
  readonly receiveCount?: number | undefined
  readonly firstReceivedAtMs?: number | undefined
  /** Under which key, and until when, a FIFO queue remembers it. */
  readonly key?: string | undefined
  readonly untilMs?: number | undefined
}
