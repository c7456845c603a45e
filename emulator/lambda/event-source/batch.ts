import type { SourceMessage } from '../../backends/queue/port.ts'
import { recordOf } from './event-record.ts'
import { SYNC_PAYLOAD_BYTES } from '../limits.ts'

/** Messages that a function gets together. */
export interface Batch {
  readonly messages: readonly SourceMessage[]
  /** The event, in JSON. */
  readonly payload: string
}

/** A batch that is being filled. */
export interface OpenBatch {
  /** Whether the message is in it now; the first one always fits. */
  add(message: SourceMessage): boolean
  readonly room: number
  close(): Batch
}

const FRAME_BYTES = '{"Records":[]}'.length

/** A batch closes at its size, or where one more message would make the event larger than an invocation may be. */
export function openBatch(size: number, sourceArn: string): OpenBatch {
  const messages: SourceMessage[] = []
  const records: string[] = []
  let bytes = FRAME_BYTES
  return {
    add(message) {
      const record = recordOf(message, sourceArn)
      const more = Buffer.byteLength(record) + 1
      if (messages.length > 0 && (messages.length >= size || bytes + more > SYNC_PAYLOAD_BYTES)) return false
      messages.push(message)
      records.push(record)
      bytes += more
      return true
    },
    get room() {
      return size - messages.length
    },
    close: () => ({ messages, payload: `{"Records":[${records.join(',')}]}` }),
  }
}
