/** A user's attribute as the JSON protocol has it; a binary value is base64. */
export interface WireAttribute {
  readonly DataType: string
  readonly StringValue?: string
  readonly BinaryValue?: string
}

export type WireAttributes = Readonly<Record<string, WireAttribute>>

/** What a sender gave; it does not change while the message is in a queue. */
export interface MessageContent {
  readonly id: string
  readonly body: string
  readonly attributes: WireAttributes | undefined
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
  readonly traceHeader: string | undefined
  /** ARN of the queue it was moved here from. */
  readonly deadLetterSource: string | undefined
}

/**
 * - `delayed`: sent, not yet to be had
 * - `ready`: visible
 * - `inFlight`: received, hidden until its visibility timeout is over
 * - `gone`: deleted, expired, purged or moved
 */
export type MessageState = 'delayed' | 'ready' | 'inFlight' | 'gone'

export interface Message extends MessageContent {
  /** Rises with every message of this store. */
  readonly serial: number
  /** Milliseconds since the epoch; retention counts from it. */
  readonly sentAtMs: number
  /** Body and attributes, as limits count them. */
  readonly sizeBytes: number
  state: MessageState
  /** When it becomes visible, while it is `delayed` or `inFlight`. */
  visibleAtMs: number
  receiveCount: number
  firstReceivedAtMs: number | undefined
  /** The last handle given out; undefined when it was not received since the store started. */
  receiptHandle: string | undefined
  /** When that handle was given out: visibility is limited in total. */
  receivedAtMs: number
}

/** Whether it is visible, was never received, and is no more than its body. */
export function isPlain(message: Message): boolean {
  return (
    message.state === 'ready' &&
    message.receiveCount === 0 &&
    message.attributes === undefined &&
    message.groupId === undefined &&
    message.deduplicationId === undefined &&
    message.traceHeader === undefined &&
    message.deadLetterSource === undefined
  )
}

/** Twenty digits, rising. */
export function sequenceNumberOf(serial: number): string {
  return `1${String(serial).padStart(19, '0')}`
}

/** Bytes of body and attributes: names, types and values. */
export function sizeOf(body: string, attributes: WireAttributes | undefined): number {
  let size = Buffer.byteLength(body)
  for (const name in attributes) {
    const attribute = attributes[name]
    if (!attribute) continue
    size += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType)
    size += Buffer.byteLength(attribute.StringValue ?? '')
    size += Buffer.byteLength(attribute.BinaryValue ?? '', 'base64')
  }
  return size
}
