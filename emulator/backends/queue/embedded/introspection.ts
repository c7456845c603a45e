import type { RequestListener, ServerResponse } from 'node:http'
import { inspectQueues, peekMessages } from './inspect.ts'
import type { Store } from './store.ts'

/** More are there than anybody reads, fewer than would fill the memory. */
const MAX_MESSAGES = 1000

/**
 * Queues for somebody in another process who looks and does not receive: nothing is hidden, counted or moved by it.
 *
 * - `GET /_aldea/queues`: every queue with its counts, in order of their names
 * - `GET /_aldea/queues/<name>/messages?max=1000`: its messages, in the order they were sent
 */
export function createIntrospection(store: Store): RequestListener {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(response, 405, { message: 'There is only GET here.' }, { allow: 'GET, HEAD' })
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://queue')
    if (pathname === QUEUES) return answer(response, 200, { queues: describeQueues(store) })
    const name = MESSAGES.exec(pathname)?.[1]
    if (name === undefined) return answer(response, 404, { message: `There is no ${pathname}.` })
    const max = readMax(searchParams.get('max'))
    if (max === undefined) return answer(response, 400, { message: `max must be 1 to ${MAX_MESSAGES}.` })
    if (!store.queues.has(name)) return answer(response, 404, { message: `There is no queue ${name}.` })
    answer(response, 200, { queue: name, messages: describeMessages(store, name, max) })
  }
}

const QUEUES = '/_aldea/queues'
const MESSAGES = /^\/_aldea\/queues\/([\w-]+(?:\.fifo)?)\/messages$/

function describeQueues(store: Store): object[] {
  return inspectQueues(store).map(({ name, visible, inFlight, delayed, oldestAgeMs }) => {
    const oldestAgeSeconds = oldestAgeMs === undefined ? null : oldestAgeMs / 1000
    return { name, visible, inFlight, delayed, oldestAgeSeconds }
  })
}

/** What a message does not have is left out of the JSON. */
function describeMessages(store: Store, name: string, max: number): object[] {
  const nowMs = store.clock.now()
  return peekMessages(store, name, max).map(
    ({ messageId, body, state, sentAtMs, visibleAtMs, receiveCount, groupId }) => {
      const isVisible = state === 'ready'
      return {
        id: messageId,
        body,
        attempts: receiveCount,
        ageSeconds: (nowMs - sentAtMs) / 1000,
        state: isVisible ? 'visible' : state,
        visibleAt: isVisible ? undefined : new Date(visibleAtMs).toISOString(),
        groupId,
      }
    },
  )
}

function readMax(text: string | null): number | undefined {
  if (text === null) return MAX_MESSAGES
  const max = /^\d{1,4}$/.test(text) ? Number(text) : 0
  return max >= 1 && max <= MAX_MESSAGES ? max : undefined
}

function answer(
  response: ServerResponse,
  status: number,
  content: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  response.end(JSON.stringify(content))
}
