import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { awsOptions, silenceVersionWarning } from './aws.ts'
import type { DbSyncConfig } from './config.ts'
import type { Delivered, Delivery } from './delivery.ts'
import type { Change } from './domain/coalesce.ts'

/** What SendMessageBatch takes. */
const MESSAGES_PER_REQUEST = 10
/** Requests at once; one takes milliseconds, so this sends thousands of messages a second. */
const REQUESTS_IN_FLIGHT = 8

/** Sends each change as one message, `{"organisation": "acme", "version": 7}`. */
export function deliverToQueue(queueUrl: string, config: DbSyncConfig): Delivery {
  silenceVersionWarning()
  const sqs = new SQSClient(awsOptions(config, config.AWS_ENDPOINT_URL_SQS))

  async function send(changes: readonly Change[], signal: AbortSignal): Promise<Delivered> {
    const command = new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: changes.map((change, index) => ({ Id: String(index), MessageBody: JSON.stringify(change) })),
    })
    const { Successful = [], Failed = [] } = await sqs.send(command, { abortSignal: signal })
    const organisations = new Set(Successful.flatMap(({ Id }) => changes[Number(Id)]?.organisation ?? []))
    if (organisations.size === changes.length) return { organisations }
    const [refused] = Failed
    return { organisations, failure: new Error(`The queue refused: ${refused?.Code}: ${refused?.Message}`) }
  }

  return {
    async deliver(changes, signal) {
      const organisations = new Set<string>()
      let failure: unknown
      let next = 0
      /** Until nothing is left, or something fails: the queue is spared while it is away. */
      const work = async (): Promise<void> => {
        while (next < changes.length && failure === undefined) {
          const batch = changes.slice(next, next + MESSAGES_PER_REQUEST)
          next += MESSAGES_PER_REQUEST
          try {
            const sent = await send(batch, signal)
            for (const organisation of sent.organisations) organisations.add(organisation)
            failure ??= sent.failure
          } catch (error) {
            failure ??= error
          }
        }
      }
      await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, work))
      return { organisations, failure }
    },
    stop() {
      sqs.destroy()
      return Promise.resolve()
    },
    abandon: () => sqs.destroy(),
  }
}
