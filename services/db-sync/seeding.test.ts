import { test } from 'vitest'
import { load, serve } from '../../emulator/lambda/testing.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { startRedis, testRuntime, type TestRedis } from '../account/testing.ts'
import { usePostgres } from '../backend/testing.ts'
import { start } from './service.ts'

const openDatabase = usePostgres()

type OnFinished = Parameters<typeof openDatabase>[0]

interface World {
  readonly redis: TestRedis
  /** What the seeder was called with. */
  readonly events: unknown[]
  /** Starts one more db-sync. */
  run(): Promise<void>
}

/** A seeder that answers as `answer` says, and sets the marker when there is nothing next. */
async function openWorld(
  onFinished: OnFinished,
  answer: (call: number) => { readonly next?: string } = () => ({}),
): Promise<World> {
  const { url } = await openDatabase(onFinished)
  const redis = await startRedis(onFinished)
  const events: unknown[] = []
  const seeder = await load(
    onFinished,
    async (event) => {
      events.push(event)
      const answered = answer(events.length)
      if (answered.next === undefined) await redis.client.set(redisKeys.seeded, '1')
      return answered
    },
    { name: 'seeder' },
  )
  const aws = await serve(onFinished, [seeder])
  const variables = {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    QUEUE_URL: `${aws.url}/000000000000/none`,
    SEEDER_FUNCTION_NAME: 'seeder',
    AWS_ENDPOINT_URL_LAMBDA: aws.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  return {
    redis,
    events,
    async run() {
      const running = await start(variables, testRuntime())
      onFinished(() => running.stop())
    },
  }
}

const all = { seed_all: true }

test('an empty Redis is seeded at the start, and again when it came back empty', async ({ expect, onTestFinished }) => {
  const { redis, events, run } = await openWorld(onTestFinished)

  await run()
  await expect.poll(() => events).toEqual([all])
  await expect.poll(() => redis.client.exists(redisKeys.seeding)).toBe(0)
  await redis.stop()
  await redis.restart()

  await expect.poll(() => events).toEqual([all, all])
})

test('a Redis that is seeded is left alone, also after FLUSHALL under a living connection', async ({
  expect,
  onTestFinished,
}) => {
  const { redis, events, run } = await openWorld(onTestFinished)
  await redis.client.set(redisKeys.seeded, '1')
  await run()

  await redis.client.flushall()
  expect(await redis.client.exists(redisKeys.seeded)).toBe(0)
  expect(events).toEqual([])
  await redis.stop()
  await redis.restart()

  await expect.poll(() => events).toEqual([all])
})

test('a seeder that fails is tried again, and asked for the rest it names', async ({ expect, onTestFinished }) => {
  const { events, run } = await openWorld(onTestFinished, (call) => {
    if (call === 1) throw new Error('PostgreSQL is away')
    return call === 2 ? { next: 'org-500' } : {}
  })

  await run()

  await expect.poll(() => events).toEqual([all, all, { ...all, after: 'org-500' }])
})

test('replicas that see it empty at once invoke the seeder once', async ({ expect, onTestFinished }) => {
  const { redis, events, run } = await openWorld(onTestFinished)

  await Promise.all([run(), run(), run()])

  await expect.poll(() => redis.client.exists(redisKeys.seeded)).toBe(1)
  expect(events).toEqual([all])
})
