import { test, type TestContext } from 'vitest'
import {
  addKey,
  startListening,
  startRedis,
  TEST_KEY,
  type TestRedis,
  type TestService,
  usageIn,
} from '../account/testing.ts'
import { hashKey } from '../account/keys.ts'
import { startScripted, tone, wavOf } from '../stt/testing.ts'
import type { Variables } from '../wire/runtime.ts'
import { start } from './service.ts'

type OnTestFinished = TestContext['onTestFinished']

const BEARER = { authorization: `Bearer ${TEST_KEY}` }

interface Path extends TestService {
  readonly redis: TestRedis
}

/** Redis, a scripted speech server and the proxy before them. */
async function startPath(onTestFinished: OnTestFinished, variables: Variables = {}): Promise<Path> {
  const redis = await startRedis(onTestFinished)
  await addKey(redis)
  const speech = await startScripted(onTestFinished, { default: 'Hello, world.' })
  const service = await startListening(onTestFinished, start, {
    REDIS_URL: redis.url,
    STT_SERVERS: `one=${speech.url}`,
    ...variables,
  })
  return { ...service, redis }
}

test('a file comes back as text in the documented shape, and is counted', async ({ expect, onTestFinished }) => {
  const { url, redis } = await startPath(onTestFinished)

  const answer = await fetch(`${url}/v1/listen?model=any&unknown=1`, {
    method: 'POST',
    headers: { ...BEARER, timestamps: 'true' },
    body: wavOf(tone(1)),
  })

  const id = answer.headers.get('dg-request-id')
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    metadata: {
      request_id: id,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as unknown,
      duration: 1,
      channels: 1,
    },
    results: {
      channels: [
        {
          alternatives: [
            {
              transcript: 'Hello, world.',
              confidence: 0.99,
              words: [
                { word: 'Hello,', start: 0, end: 0.5 },
                { word: 'world.', start: 0.5, end: 1 },
              ],
            },
          ],
        },
      ],
    },
    text: 'Hello, world.',
  })
  expect(await usageIn(redis)).toEqual([
    { organisation: 'acme', key: hashKey(TEST_KEY), kind: 'file', seconds: '1', id },
  ])
})
