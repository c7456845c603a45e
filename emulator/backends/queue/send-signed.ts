import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** A request as it came, in either protocol. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What says which action is asked for, and how; all other headers are the client's own business. */
const KEPT_HEADERS = ['content-type', 'x-amz-target', 'x-amzn-query-mode'] as const

/**
 * Sends a request through the SDK, which signs it with the keys of `client`. The command is a vehicle: its request is
 * replaced before the signature, and its answer is taken before the SDK would read it.
 */
export async function sendSigned(client: SQSClient, raw: RawRequest, signal: AbortSignal): Promise<RawAnswer> {
  const vehicle = new ListQueuesCommand({})
  let answer: RawAnswer | undefined
  vehicle.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as HttpRequest
      const kept = KEPT_HEADERS.flatMap((name) => {
        const value = raw.headers[name]
        return typeof value === 'string' ? [[name, value] as const] : []
      })
      const { pathname, searchParams } = new URL(raw.path, 'http://localhost')
      request.method = raw.method
      request.path = pathname
      request.query = Object.fromEntries(searchParams)
      request.body = raw.body === '' ? undefined : raw.body
      const length: Record<string, string> =
        raw.body === '' ? {} : { 'content-length': String(Buffer.byteLength(raw.body)) }
      request.headers = { ...Object.fromEntries(kept), ...length, host: request.headers['host'] ?? '' }
      return next(args)
    },
    { step: 'build', priority: 'low', name: 'replaceRequest' },
  )
  vehicle.middlewareStack.add(
    (next) => async (args) => {
      const { response } = await next(args)
      const { statusCode, headers, body } = response as HttpResponse
      answer = { status: statusCode, headers: withoutTransport(headers), body: await text(body) }
      return { response, output: { $metadata: {} } }
    },
    { step: 'deserialize', priority: 'low', name: 'takeAnswer' },
  )
  // What the SDK makes of an answer that is no list of queues does not matter.
  await client.send(vehicle, { abortSignal: signal }).catch((error: unknown) => {
    if (!answer) throw error
  })
  if (!answer) throw new Error('The SDK has sent nothing.')
  return answer
}

/** The SDK's own shapes, as far as they are used; the package of their types is none of ours. */
interface HttpRequest {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  body: string | undefined
}

interface HttpResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

const TRANSPORT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'date',
])

function withoutTransport(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !TRANSPORT.has(name.toLowerCase())))
}
