import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Log } from '../../../../services/wire/log.ts'
import { ACCOUNT_ID } from '../port.ts'
import type { Call, Output } from './action.ts'
import { actions } from './actions.ts'
import { QueueError, toQueueError } from './errors.ts'
import { jsonProtocol, parseJson } from './json-protocol.ts'
import type { Protocol, Request } from './protocol.ts'
import { parseQuery, queryProtocol } from './query-protocol.ts'
import type { Store } from './store.ts'

/** A batch of the largest messages with every byte escaped. */
const MAX_BODY_BYTES = 8 * 1024 * 1024

/** Answers requests of SQS clients in either protocol, each when what it changed has been written down. */
export function createHandler(store: Store, log: Log): RequestListener {
  return (request, response) => {
    readBody(request, (body) => {
      const protocol = request.headers['x-amz-target'] === undefined ? queryProtocol : jsonProtocol
      const fail = (thrown: unknown): void => {
        if (!(thrown instanceof QueueError)) log.error({ err: thrown }, 'queue action failed')
        answerError(store, response, protocol, toQueueError(thrown))
      }
      try {
        if (body === undefined) throw new QueueError('MalformedInput', 'The request is too large.')
        const parsed = parse(request, body)
        const output = run(store, request, response, parsed)
        const succeed = (result: Output): void => answer(store, response, parsed, result, fail)
        if (output instanceof Promise) output.then(succeed, fail)
        else succeed(output)
      } catch (error) {
        fail(error)
      }
    })
  }
}

function parse(request: IncomingMessage, body: string): Request {
  const target = request.headers['x-amz-target']
  if (typeof target === 'string') return parseJson(target, body)
  const url = new URL(request.url ?? '/', 'http://queue')
  for (const [name, value] of new URLSearchParams(body)) url.searchParams.append(name, value)
  return parseQuery(url.pathname, url.searchParams)
}

function run(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  { action, input }: Request,
): Output | Promise<Output> {
  const perform = actions.get(action)
  if (!perform) throw new QueueError('InvalidAction', `The action or operation ${action} is not valid.`)
  const call: Call = {
    store,
    urlBase: `http://${request.headers.host ?? 'localhost'}/${ACCOUNT_ID}/`,
    signal: () => departure(request, response),
  }
  return perform(call, input)
}

/** Aborts when the client has closed its side: a message given to it then would be hidden and never handled. */
function departure(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const leave = (): void => controller.abort()
  request.socket.once('end', leave)
  response.once('close', () => {
    request.socket.off('end', leave)
    leave()
  })
  return controller.signal
}

function answer(
  store: Store,
  response: ServerResponse,
  { protocol, action }: Request,
  output: Output,
  fail: (thrown: unknown) => void,
): void {
  store.journal.whenWritten((error) => {
    if (error) return fail(error)
    const requestId = store.ids.uuid()
    const body = protocol.success(action, output, requestId)
    response.writeHead(200, {
      'content-type': protocol.contentType,
      'content-length': Buffer.byteLength(body),
      'x-amzn-RequestId': requestId,
    })
    response.end(body)
  })
}

function answerError(store: Store, response: ServerResponse, protocol: Protocol, error: QueueError): void {
  const requestId = store.ids.uuid()
  const body = protocol.failure(error, requestId)
  response.writeHead(error.status, {
    'content-type': protocol.contentType,
    'content-length': Buffer.byteLength(body),
    'x-amzn-RequestId': requestId,
    'x-amzn-query-error': `${error.code};${error.status === 400 ? 'Sender' : 'Receiver'}`,
  })
  response.end(body)
}

/** @param take is given undefined when the body is too large; never called when the client leaves before its end */
function readBody(request: IncomingMessage, take: (body: string | undefined) => void): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  request.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk)
  })
  request.on('end', () => {
    if (sizeBytes > MAX_BODY_BYTES) return take(undefined)
    const [first] = chunks
    take(chunks.length === 1 && first ? first.toString() : Buffer.concat(chunks).toString())
  })
}
