import type { RequestListener } from 'node:http'
import type { Clock } from '../../../services/wire/clock.ts'
import type { Log } from '../../../services/wire/log.ts'
import type { Ids } from '../../../services/wire/runtime.ts'
import type { Available, Declined } from '../probe.ts'

/** Queues behind the protocol of SQS. */
export interface QueueBackend {
  /** One line for the user: adapter, version, address. */
  readonly detail: string
  /** Answers one request of an SQS client, in either protocol. The AWS endpoint calls it for what is for the queues. */
  readonly handler: RequestListener
  /** The same apart from HTTP, where the queues are in this process. Replies once. */
  readonly answer?: QueueAnswer
  /** Answers paths below `/_aldea/queues` with what is in the queues, where the adapter can look without receiving. */
  readonly introspection?: RequestListener
  /** What an event source mapping reads. The queue must exist. */
  source(queue: string): MessageSource
  stop(): Promise<void>
}

export type QueueAnswer = (request: QueueRequest, reply: (reply: QueueReply) => void) => void

/** One request of an SQS client, however it has travelled. */
export interface QueueRequest {
  /** The header X-Amz-Target, which only the JSON protocol has: `AmazonSQS.SendMessage`. */
  readonly target: string | undefined
  /** Path and query. */
  readonly url: string
  /** How the client reached us, for the URLs of queues. */
  readonly host: string
  /** Undefined when it is too large to be read. */
  readonly body: string | undefined
  /** Aborted when the client has gone: a message given to it then would be hidden and never handled. Asked for once at most. */
  signal(): AbortSignal
}

export interface QueueReply {
  readonly status: number
  /** The same object again while none of them changes: what was made of it can be kept. */
  readonly headers: Readonly<Record<string, string>>
  /** The header x-amzn-RequestId. */
  readonly requestId: string
  readonly body: string
}

/** One queue as its reader inside the emulator sees it: what ReceiveMessage, DeleteMessageBatch and GetQueueAttributes do. */
export interface MessageSource {
  /** `arn:aws:sqs:<region>:<account>:<name>` */
  readonly arn: string
  /** Of the queue, at this moment. */
  visibilityTimeoutSeconds(): Promise<number>
  /** As soon as there is a message, up to `max` of them; none after `waitMs`, or at once when aborted. */
  receive(options: ReceiveOptions): Promise<readonly SourceMessage[]>
  /** Handles that are no good are ignored, as a poller does. */
  delete(receiptHandles: readonly string[]): Promise<void>
}

export interface ReceiveOptions {
  /** More than ten only where the adapter can; it may return fewer. */
  readonly max: number
  readonly waitMs: number
  readonly signal: AbortSignal
}

/** A message with all its attributes, named as SQS names them. */
export interface SourceMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly md5OfBody: string
  readonly md5OfMessageAttributes: string | undefined
  /** System attributes: ApproximateReceiveCount, SentTimestamp, SenderId, MessageGroupId, … */
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes: Readonly<Record<string, MessageAttribute>>
}

/** A user's attribute of a message. */
export interface MessageAttribute {
  /** String, Number or Binary, perhaps with a suffix: `Number.int`. */
  readonly dataType: string
  readonly stringValue?: string
  readonly binaryValue?: Uint8Array
}

/** A queue that is there from the start. */
export interface QueueSpec {
  readonly name: string
  /** Queue attributes by AWS's own names, as strings: `VisibilityTimeout`, `FifoQueue`, … */
  readonly attributes: Readonly<Record<string, string>>
  /** Made before it; messages go there after `maxReceiveCount` receives. */
  readonly deadLetterQueue?: { readonly name: string; readonly maxReceiveCount: number }
}

export interface QueueAdapter {
  readonly name: 'embedded' | 'container' | 'external'
  probe(): Promise<Available | Declined>
  /** Starts it and makes the queues; those that are there already keep their messages. */
  start(context: QueueContext): Promise<QueueBackend>
}

export interface QueueContext {
  /** Where the journal is kept from one start to the next. */
  readonly stateDir: string
  readonly region: string
  readonly queues: readonly QueueSpec[]
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
}

/** The account everything belongs to. */
export const ACCOUNT_ID = '000000000000'
