import type { Invocation } from '../instance.ts'
import { ASYNC_PAYLOAD_BYTES, LEGACY_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES } from '../limits.ts'
import { ServiceError } from '../service-error.ts'
import { VERSION } from '../settings.ts'
import { type Exchange, readBody, reply } from './exchange.ts'
import { findFunction } from './names.ts'

/** `POST /2015-03-31/functions/{name}/invocations` */
export async function invoke(exchange: Exchange, reference: string): Promise<void> {
  const { request, response, requestId, query, deps } = exchange
  const type = header(exchange, 'x-amz-invocation-type') ?? 'RequestResponse'
  const body = await readBody(request)
  const found = findFunction(deps, reference, query.get('Qualifier'))
  response.setHeader('x-amzn-trace-id', header(exchange, 'x-amzn-trace-id') ?? newTraceId(exchange))

  switch (type) {
    case 'DryRun':
      return reply(response, 204)
    case 'Event':
      found.send(invocationOf(exchange, body, type, ASYNC_PAYLOAD_BYTES))
      return reply(response, 202)
    case 'RequestResponse': {
      const outcome = await found.run(invocationOf(exchange, body, type, SYNC_PAYLOAD_BYTES))
      response.setHeader('x-amz-executed-version', VERSION)
      if (outcome.failure) response.setHeader('x-amz-function-error', 'Unhandled')
      if (header(exchange, 'x-amz-log-type') === 'Tail') response.setHeader('x-amz-log-result', outcome.logTail)
      response.setHeader('content-type', 'application/json')
      return void response.end(outcome.payload)
    }
    default: {
      const known = 'RequestResponse, Event, DryRun'
      throw new ServiceError(
        'InvalidParameterValueException',
        `InvocationType ${type} is none of ${known}. ${requestId}`,
      )
    }
  }
}

/** `POST /2014-11-13/functions/{name}/invoke-async/`, which was there before `Event`. */
export async function invokeAsync(exchange: Exchange, reference: string): Promise<void> {
  const { request, response, deps } = exchange
  const body = await readBody(request)
  const found = findFunction(deps, reference)
  found.send(invocationOf(exchange, body, 'Event', LEGACY_PAYLOAD_BYTES))
  reply(response, 202, { Status: 202 })
}

function invocationOf(
  exchange: Exchange,
  { bytes, text }: { readonly bytes: number; readonly text: string },
  type: string,
  limit: number,
): Invocation {
  if (bytes > limit) {
    const message = `${bytes} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`
    throw new ServiceError('RequestTooLargeException', message)
  }
  // An invocation without a body is one with an empty event.
  const payload = text === '' ? '{}' : text
  assertJson(payload)
  const clientContext = clientContextOf(exchange)
  return { requestId: exchange.requestId, payload, ...(clientContext === undefined ? {} : { clientContext }) }
}

function assertJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    const message = `Could not parse request body into json: ${error instanceof Error ? error.message : String(error)}`
    throw new ServiceError('InvalidRequestContentException', message)
  }
}

function clientContextOf(exchange: Exchange): unknown {
  const encoded = header(exchange, 'x-amz-client-context')
  if (encoded === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString()) as unknown
  } catch {
    throw new ServiceError(
      'InvalidRequestContentException',
      'Client context must be a valid Base64-encoded JSON object.',
    )
  }
}

function header({ request }: Exchange, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** `Root=1-<8 hex: seconds>-<24 hex>`, not sampled. */
function newTraceId({ deps: { clock, ids } }: Exchange): string {
  const seconds = Math.floor(clock.now() / 1_000)
    .toString(16)
    .padStart(8, '0')
  return `Root=1-${seconds}-${ids.hex(12)};Sampled=0`
}
