import type { Log } from '../../../../services/wire/log.ts'
import { ACCOUNT_ID, type QueueAnswer, type QueueReply, type QueueRequest } from '../port.ts'
import type { Output } from './action.ts'
import { actions } from './actions.ts'
import { QueueError, toQueueError } from './errors.ts'
import { jsonProtocol, parseJson } from './json-protocol.ts'
import type { Protocol, Request } from './protocol.ts'
import { parseQuery, queryProtocol } from './query-protocol.ts'
import type { Store } from './store.ts'

/** Answers requests of SQS clients in either protocol, each when what it changed has been written down. */
export function createAnswer(store: Store, log: Log): QueueAnswer {
  const headersOf = createHeaders(store)

  function succeed({ protocol, action }: Request, output: Output): QueueReply {
    const requestId = store.ids.uuid()
    const body = protocol.success(action, output, requestId)
    return { status: 200, headers: headersOf(protocol), requestId, body }
  }

  function fail(protocol: Protocol, thrown: unknown): QueueReply {
    if (!(thrown instanceof QueueError)) log.error({ err: thrown }, 'queue action failed')
    const error = toQueueError(thrown)
    const requestId = store.ids.uuid()
    return {
      status: error.status,
      headers: {
        ...headersOf(protocol),
        'x-amzn-query-error': `${error.code};${error.status === 400 ? 'Sender' : 'Receiver'}`,
      },
      requestId,
      body: protocol.failure(error, requestId),
    }
  }

  function replyWhenWritten(request: Request, output: Output, reply: (reply: QueueReply) => void): void {
    store.journal.whenWritten((error) => reply(error ? fail(request.protocol, error) : succeed(request, output)))
  }

  return (request, reply) => {
    const protocol = request.target === undefined ? queryProtocol : jsonProtocol
    try {
      const parsed = parse(request)
      const output = run(store, request, parsed)
      if (!(output instanceof Promise)) return replyWhenWritten(parsed, output, reply)
      output.then(
        (late) => replyWhenWritten(parsed, late, reply),
        (error: unknown) => reply(fail(protocol, error)),
      )
    } catch (error) {
      reply(fail(protocol, error))
    }
  }
}

function parse({ target, url, body }: QueueRequest): Request {
  if (body === undefined) throw new QueueError('MalformedInput', 'The request is too large.')
  if (target !== undefined) return parseJson(target, body)
  const { pathname, searchParams } = new URL(url, 'http://queue')
  for (const [name, value] of new URLSearchParams(body)) searchParams.append(name, value)
  return parseQuery(pathname, searchParams)
}

function run(
  store: Store,
  { host, signal }: QueueRequest,
  { action, input, isVerbatim }: Request,
): Output | Promise<Output> {
  const perform = actions.get(action)
  if (!perform) throw new QueueError('InvalidAction', `The action or operation ${action} is not valid.`)
  return perform({ store, urlBase: `http://${host}/${ACCOUNT_ID}/`, isVerbatim, signal }, input)
}

/** What every answer has: the same for a whole second. */
function createHeaders({ clock }: Store): (protocol: Protocol) => QueueReply['headers'] {
  let second = Number.NaN
  const made = new Map<Protocol, QueueReply['headers']>()
  return (protocol) => {
    const current = Math.floor(clock.now() / 1000)
    if (current !== second) made.clear()
    second = current
    const known = made.get(protocol)
    if (known) return known
    const headers = { 'content-type': protocol.contentType, date: new Date(current * 1000).toUTCString() }
    made.set(protocol, headers)
    return headers
  }
}
