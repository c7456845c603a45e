import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { test, type TestContext } from 'vitest'
import type { Environment } from '../../core/environment.ts'
import { startTestEnvironment } from '../test-environment.ts'

/** On two shared cores. */
const SOON = { timeout: 10_000 }

const QUEUE = 'prod-ws-proxy-org-sync'

interface Clients {
  readonly environment: Environment
  readonly pool: Pool
  readonly redis: Redis
  readonly sqs: SQSClient
  readonly lambda: LambdaClient
  readonly queueUrl: (name: string) => string
}

/** A running environment, and clients that find its parts by the variables that `aldea-local env` prints. */
async function startWithClients(onTestFinished: TestContext['onTestFinished'], profile = 'ecs-b'): Promise<Clients> {
  const environment = await startTestEnvironment({ onTestFinished, profile })
  const { variables, queueUrls } = environment
  const pool = new Pool({ connectionString: variables['DATABASE_URL'] })
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  const aws = {
    endpoint: variables['AWS_ENDPOINT_URL'] ?? '',
    region: variables['AWS_REGION'] ?? '',
    credentials: {
      accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  }
  const sqs = new SQSClient(aws)
  const lambda = new LambdaClient(aws)
  onTestFinished(async () => {
    await pool.end()
    redis.disconnect()
    sqs.destroy()
    lambda.destroy()
  })
  return { environment, pool, redis, sqs, lambda, queueUrl: (name) => queueUrls[name] ?? '' }
}

const HASH = 'e'.repeat(64)

/** By plain SQL, as somebody with psql would. */
async function addOrganisation(pool: Pool, id: string): Promise<void> {
  await pool.query('INSERT INTO organisations (id, name, created_at) VALUES ($1, $1, to_timestamp(0))', [id])
  await pool.query('INSERT INTO limits (organisation_id, max_connections) VALUES ($1, 7)', [id])
  await pool.query(
    `INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at)
     VALUES ('key-1', $1, $2, '', '', to_timestamp(0))`,
    [id, HASH],
  )
}

test.for([['ecs-b'], ['ecs-a']])(
  'what changes in PostgreSQL of %s by whatever hand reaches Redis',
  async ([profile = ''], { expect, onTestFinished }) => {
    const { pool, redis } = await startWithClients(onTestFinished, profile)

    await addOrganisation(pool, 'acme')
    await expect.poll(() => redis.get(`apikey:${HASH}`), SOON).toBe('acme')
    await expect.poll(() => redis.hget('org:acme:limits', 'max_connections'), SOON).toBe('7')
    expect(await redis.smembers('org:acme:api_keys')).toEqual([HASH])

    await pool.query(`UPDATE api_keys SET revoked_at = to_timestamp(0) WHERE organisation_id = 'acme'`)
    await expect.poll(() => redis.exists(`apikey:${HASH}`), SOON).toBe(0)
    await pool.query(`DELETE FROM organisations WHERE id = 'acme'`)
    await expect.poll(() => redis.hget('org:acme:limits', 'max_connections'), SOON).toBeNull()
  },
)

/** Changes that have not reached Redis yet. */
async function underway({ pool, sqs, queueUrl }: Clients): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM organisation_outbox')
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl(QUEUE), AttributeNames: ['All'] }),
  )
  const waiting = Number(Attributes['ApproximateNumberOfMessages'])
  return (rows[0]?.count ?? 0) + waiting + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
}

test('after FLUSHALL keys are rejected until somebody invokes the seeding function', async ({
  expect,
  onTestFinished,
}) => {
  const clients = await startWithClients(onTestFinished)
  const { environment, redis, lambda } = clients
  const { demo } = environment.topology
  const ask = async (): Promise<number> => {
    const response = await fetch(`${environment.url}${demo.path}`, {
      method: 'POST',
      headers: { authorization: `Token ${demo.key}`, 'content-type': 'audio/wav' },
      body: new Uint8Array(44),
    })
    await response.arrayBuffer()
    return response.status
  }
  expect(await ask()).not.toBe(401)
  // The seeds themselves are a change, which would bring their key back.
  await expect.poll(() => underway(clients), SOON).toBe(0)

  await redis.flushall()
  expect(await ask()).toBe(401)
  const { StatusCode, FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: 'prod-ws-proxy-redis-seeder', Payload: JSON.stringify({ seed_all: true }) }),
  )

  expect({ StatusCode, FunctionError }).toEqual({ StatusCode: 200, FunctionError: undefined })
  expect(JSON.parse(Payload?.transformToString() ?? '')).toMatchObject({ organisations: 1, keys: 1 })
  expect(await ask()).not.toBe(401)
})

test('a message that nobody can process ends in the dead-letter queue, and the others are processed', async ({
  expect,
  onTestFinished,
}) => {
  const { pool, redis, sqs, queueUrl } = await startWithClients(onTestFinished)
  // Otherwise each of its five tries would wait for the time-out.
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl(QUEUE), Attributes: { VisibilityTimeout: '1' } }))

  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(QUEUE), MessageBody: 'poison' }))
  await addOrganisation(pool, 'acme')

  await expect.poll(() => redis.get(`apikey:${HASH}`), SOON).toBe('acme')
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl(`${QUEUE}-dlq`), WaitTimeSeconds: 20 }),
  )
  expect(Messages.map(({ Body }) => Body)).toEqual(['poison'])
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl(QUEUE), AttributeNames: ['All'] }),
  )
  expect(Attributes).toMatchObject({
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesNotVisible: '0',
  })
})
