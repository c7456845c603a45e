import { LambdaClient } from '@aws-sdk/client-lambda'
import type { Clock } from '../../services/wire/clock.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import type { FunctionContext, StartFunction } from '../../services/wire/runtime.ts'
import { createShared } from '../../services/wire/shared.ts'
import { startAwsEndpoint } from '../aws/endpoint.ts'
import { createLambdaApi } from './api/listener.ts'
import type { LambdaContext } from './context.ts'
import type { EventSourceMapping } from './event-source.ts'
import { type FunctionDeps, loadFunction, type LoadedFunction } from './function.ts'

type OnFinished = (cleanup: () => Promise<void>) => void

export const REGION = 'us-west-2'

/** Keeps nothing, but lets every line from `info` on through to the tail. */
const tailedLog = { ...silentLog, level: 'info' }

export type Handler = (event: unknown, context: LambdaContext) => unknown

/** A program whose handler is `handler`. */
function programOf(handler: Handler): StartFunction {
  return () =>
    Promise.resolve({
      // The emulator gives the whole context; programs of the product use a part of it.
      handler: async (event: unknown, context: FunctionContext) => handler(event, context as LambdaContext),
      stop: () => Promise.resolve(),
    })
}

/** Ends with the test. */
export async function load(
  onFinished: OnFinished,
  program: Handler | { readonly start: StartFunction },
  { clock = systemClock, ...settings }: Partial<FunctionDeps> & { readonly clock?: Clock } = {},
): Promise<LoadedFunction> {
  const start = typeof program === 'function' ? programOf(program) : program.start
  const runtime = { clock, ids: systemIds, log: tailedLog, shared: createShared() }
  const loaded = await loadFunction({ name: 'f', region: REGION, variables: {}, runtime, ...settings, start })
  onFinished(async () => {
    loaded.kill()
    await loaded.stop()
  })
  return loaded
}

export interface TestApi {
  /** What `--endpoint-url` takes. */
  readonly url: string
  readonly client: LambdaClient
}

/** Lambda's API over HTTP, and a client of it. */
export async function serve(
  onFinished: OnFinished,
  functions: readonly LoadedFunction[],
  mappings: readonly EventSourceMapping[] = [],
): Promise<TestApi> {
  const { url, stop } = await startAwsEndpoint({
    host: '127.0.0.1',
    port: 0,
    functions: createLambdaApi({
      region: REGION,
      functions: new Map(functions.map((each) => [each.name, each])),
      mappings: () => mappings,
      clock: systemClock,
      ids: systemIds,
    }),
    queue: () => undefined,
  })
  onFinished(stop)
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new LambdaClient({ endpoint: url, region: REGION, credentials, maxAttempts: 1 })
  onFinished(async () => client.destroy())
  return { url, client }
}
