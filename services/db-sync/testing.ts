import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { startFauxqs } from 'fauxqs'
import { pino } from 'pino'
import type { Log } from '../wire/log.ts'
import type { Variables } from '../wire/runtime.ts'
import type { Change } from './domain/coalesce.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

/** A queue, and a way to it that a test can hold up. */
export interface TestQueue {
  /** For the service under test. */
  readonly variables: Variables
  /** What has arrived, in the order of arrival. */
  messages(): Change[]
  /** Awaited after the queue has taken a request and before the client hears of it. */
  beforeAnswer: () => Promise<void>
  /** Drops the entries of a request that it is true of: the queue refuses them. */
  refuses: (change: Change) => boolean
  /** Takes the way away, connections and all. */
  cut(): Promise<void>
  mend(): Promise<void>
}

interface SendBatch {
  readonly Entries: readonly { readonly Id: string; readonly MessageBody: string }[]
}

export async function startQueue(onFinished: OnFinished): Promise<TestQueue> {
  const queues = await startFauxqs({ port: 0, logger: false })
  onFinished(() => queues.stop())
  const { queueUrl } = queues.createQueue(NAME, { region: REGION })

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { Entries, ...rest } = JSON.parse(await text(request)) as SendBatch
    const refused = Entries.filter(({ MessageBody }) => queue.refuses(JSON.parse(MessageBody) as Change))
    const taken = Entries.filter((entry) => !refused.includes(entry))
    const answer = taken.length === 0 ? {} : await ask(request.headers, { ...rest, Entries: taken })
    await queue.beforeAnswer()
    const Failed = refused.map(({ Id }) => ({ Id, Code: 'InternalError', Message: 'Try again.', SenderFault: false }))
    response.setHeader('content-type', 'application/x-amz-json-1.0')
    response.end(JSON.stringify({ ...answer, Failed }))
  }

  async function ask({ authorization = '' }: IncomingHttpHeaders, batch: SendBatch): Promise<object> {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessageBatch',
      authorization,
    }
    const answer = await fetch(queues.address, { method: 'POST', headers, body: JSON.stringify(batch) })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as object
  }

  const front = createServer((request, response) => void pass(request, response))
  const listen = async (port: number): Promise<number> => {
    front.listen(port, '127.0.0.1')
    await once(front, 'listening')
    const address = front.address()
    if (!address || typeof address === 'string') throw new Error('The queue has no port.')
    return address.port
  }
  const cut = async (): Promise<void> => {
    if (!front.listening) return
    const closed = once(front, 'close')
    front.close()
    front.closeAllConnections()
    await closed
  }
  const port = await listen(0)
  onFinished(cut)
  const url = `http://127.0.0.1:${port}`

  const queue: TestQueue = {
    variables: {
      QUEUE_URL: queueUrl,
      AWS_ENDPOINT_URL_SQS: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    messages: () =>
      (queues.inspectQueue(NAME)?.messages.ready ?? []).map(({ body }: { body: string }) => JSON.parse(body) as Change),
    beforeAnswer: () => Promise.resolve(),
    refuses: () => false,
    cut,
    async mend() {
      await listen(port)
    },
  }
  return queue
}

const NAME = 'org-sync'
const REGION = 'us-west-2'

/** A real log, read back. */
export function recordLog(): { readonly log: Log; messages(): string[] } {
  const lines: string[] = []
  const log = pino({ level: 'info', base: {} }, { write: (line: string) => void lines.push(line) })
  return { log, messages: () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg) }
}
