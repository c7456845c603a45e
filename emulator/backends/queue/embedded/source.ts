import type { MessageAttribute, MessageSource, SourceMessage } from '../port.ts'
import { QueueError } from './errors.ts'
import { deleteByHandle } from './handle.ts'
import { md5OfAttributes, md5OfText } from './md5.ts'
import type { WireAttribute } from './message.ts'
import { type Delivery, receive } from './receive.ts'
import { type Store, findQueue } from './store.ts'
import { systemAttributes } from './system-attributes.ts'

/** A queue for a reader in this process, with no connection between. @throws QueueError when it is not there. */
export function createSource(store: Store, name: string): MessageSource {
  const { arn } = findQueue(store, name)
  return {
    arn,
    visibilityTimeoutSeconds: async () => findQueue(store, name).settings.visibilityMs / 1000,
    async receive({ max, waitMs, signal }) {
      if (signal.aborted) return []
      const queue = findQueue(store, name)
      const deliveries = await receive(store, queue, { max, waitMs, signal, visibilityMs: undefined })
      return deliveries.map(toSourceMessage)
    },
    async delete(receiptHandles) {
      const queue = findQueue(store, name)
      for (const handle of receiptHandles) {
        try {
          deleteByHandle(store, queue, handle)
        } catch (error) {
          if (!(error instanceof QueueError)) throw error
        }
      }
      await written(store)
    },
  }
}

function written(store: Store): Promise<void> {
  return new Promise((resolve, reject) => {
    store.journal.whenWritten((error) => (error ? reject(error) : resolve()))
  })
}

function toSourceMessage(delivery: Delivery): SourceMessage {
  const { message, receiptHandle } = delivery
  const { attributes } = message
  return {
    messageId: message.id,
    receiptHandle,
    body: message.body,
    md5OfBody: md5OfText(message.body),
    md5OfMessageAttributes: attributes ? md5OfAttributes(attributes) : undefined,
    attributes: systemAttributes(delivery),
    messageAttributes: Object.fromEntries(
      Object.entries(attributes ?? {}).map(([name, attribute]) => [name, toSourceAttribute(attribute)]),
    ),
  }
}

function toSourceAttribute({ DataType, StringValue, BinaryValue }: WireAttribute): MessageAttribute {
  if (BinaryValue !== undefined) return { dataType: DataType, binaryValue: Buffer.from(BinaryValue, 'base64') }
  return { dataType: DataType, stringValue: StringValue ?? '' }
}
