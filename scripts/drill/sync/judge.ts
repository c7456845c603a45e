import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Client } from 'pg'
import { checkConsistency } from '../../../services/account/consistency.ts'
import { openPostgres } from '../../../services/account/postgres.ts'
import { closeRedis, connectRedis } from '../../../services/account/redis.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { silentLog } from '../../../services/wire/log.ts'
import type { HostReady } from './hosted.ts'
import { readLimit, type Ledger } from './writer.ts'

const POLL_MS = 250
/** More than there should ever be is enough to see. */
const MOST_SHOWN = 10

export interface Drained {
  readonly outbox: number
  readonly queue: number
  readonly deadLetters: number
}

/** A message that no version of the function can understand. */
export async function plantPoison(ready: HostReady, body: string): Promise<void> {
  await withQueue(ready, (sqs, urls) => sqs.send(new SendMessageCommand({ QueueUrl: urls.queue, MessageBody: body })))
}

/** Waits until outbox and queue are empty and the poison is where it belongs; what is left after `mostMs` otherwise. */
export async function waitUntilDrained(ready: HostReady, mostMs: number): Promise<Drained> {
  const deadline = systemClock.now() + mostMs
  for (;;) {
    const drained = await look(ready)
    const isOver = drained.outbox === 0 && drained.queue === 0 && drained.deadLetters > 0
    if (isOver || systemClock.now() > deadline) return drained
    await systemClock.sleep(POLL_MS)
  }
}

/** Bodies in the dead-letter queue. */
export async function deadLetters(ready: HostReady): Promise<string[]> {
  return withQueue(ready, async (sqs, { deadLetterQueue }) => {
    const command = new ReceiveMessageCommand({ QueueUrl: deadLetterQueue, MaxNumberOfMessages: MOST_SHOWN })
    const { Messages = [] } = await sqs.send(command)
    return Messages.map(({ Body = '' }) => Body)
  })
}

/** Everything that PostgreSQL and Redis disagree about, and every acknowledged change that PostgreSQL has not kept. */
export async function findFaults({ variables }: HostReady, ledgers: readonly Ledger[]): Promise<string[]> {
  const faults: string[] = []
  const { DATABASE_URL = '', REDIS_URL = '' } = variables
  const postgres = openPostgres(DATABASE_URL, { name: 'drill', log: silentLog })
  const redis = await connectRedis(REDIS_URL, silentLog)
  const client = new Client(DATABASE_URL)
  await client.connect()
  try {
    for await (const { organisation, kind, detail } of checkConsistency({ pool: postgres.pool, redis })) {
      faults.push(`${organisation}  ${kind}  ${detail}`)
    }
    for (const [id, limit] of ledgers.flatMap((ledger) => [...ledger])) {
      const stored = await readLimit(client, id)
      if (stored !== limit) faults.push(`${id}  lost  acknowledged ${limit}, PostgreSQL has ${stored}`)
    }
  } finally {
    await Promise.all([client.end(), closeRedis(redis), postgres.end()])
  }
  return faults
}

async function look(ready: HostReady): Promise<Drained> {
  const client = new Client(ready.variables['DATABASE_URL'])
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query<{ count: number }>('SELECT count(*)::integer AS count FROM organisation_outbox')
  await client.end()
  return withQueue(ready, async (sqs, urls) => ({
    outbox: rows[0]?.count ?? 0,
    queue: await countMessages(sqs, urls.queue),
    deadLetters: await countMessages(sqs, urls.deadLetterQueue),
  }))
}

async function countMessages(sqs: SQSClient, url: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...COUNTS] }),
  )
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0)
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const

interface QueuePair {
  readonly queue: string
  readonly deadLetterQueue: string
}

async function withQueue<T>(ready: HostReady, work: (sqs: SQSClient, urls: QueuePair) => Promise<T>): Promise<T> {
  const { variables, queueUrls } = ready
  const urls = Object.values(queueUrls)
  const deadLetterQueue = urls.find((url) => url.endsWith('-dlq')) ?? ''
  const queue = urls.find((url) => !url.endsWith('-dlq')) ?? ''
  const sqs = new SQSClient({
    endpoint: variables['AWS_ENDPOINT_URL'] ?? '',
    region: variables['AWS_REGION'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  try {
    return await work(sqs, { queue, deadLetterQueue })
  } finally {
    sqs.destroy()
  }
}
