import { addKey, startListening, startRedis, type TestRedis, type TestService, TEST_KEY } from '../account/testing.ts'
import { startScripted } from '../stt/testing.ts'
import type { Runtime, Variables } from '../wire/runtime.ts'
import { start } from './service.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

export const BEARER = { authorization: `Bearer ${TEST_KEY}` }

export interface TestTranscribe extends TestService {
  readonly redis: TestRedis
}

export interface TestTranscribeOptions {
  readonly variables?: Variables
  readonly limits?: Record<string, number>
  readonly runtime?: Partial<Runtime>
}

/** Redis with a key, a scripted speech server that says "Hello, world.", and the proxy before them. */
export async function startTranscribe(
  onFinished: OnFinished,
  { variables = {}, limits = {}, runtime = {} }: TestTranscribeOptions = {},
): Promise<TestTranscribe> {
  const redis = await startRedis(onFinished)
  await addKey(redis, limits)
  const speech = await startScripted(onFinished, { default: 'Hello, world.' }, { MAX_AUDIO_SECONDS: '5' })
  const own = { REDIS_URL: redis.url, STT_SERVERS: `one=${speech.url}` }
  return { ...(await startListening(onFinished, start, { ...own, ...variables }, runtime)), redis }
}
