import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'
import { addKey, startListening, startRedis, TEST_KEY, type TestRedis, type TestService } from '../account/testing.ts'
import { startScripted, type TestServer } from '../stt/testing.ts'
import type { Runtime, Variables } from '../wire/runtime.ts'
import { start } from './service.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

export interface TestProxy extends TestService {
  /** `ws://127.0.0.1:port` */
  readonly socketUrl: string
  readonly redis: TestRedis
  readonly speech: TestServer
}

export interface TestProxyOptions {
  readonly variables?: Variables
  readonly limits?: Record<string, number>
  readonly runtime?: Partial<Runtime>
}

/** Redis with a key, a scripted speech server that says "Hello, world.", and the proxy before them. */
export async function startProxy(
  onFinished: OnFinished,
  { variables = {}, limits = {}, runtime = {} }: TestProxyOptions = {},
): Promise<TestProxy> {
  const redis = await startRedis(onFinished)
  await addKey(redis, limits)
  const speech = await startScripted(onFinished, { default: 'Hello, world.' })
  const own = { REDIS_URL: redis.url, STT_SERVERS: `one=${speech.url}` }
  const service = await startListening(onFinished, start, { ...own, ...variables }, runtime)
  return { ...service, socketUrl: service.url.replace('http', 'ws'), redis, speech }
}

export interface Message {
  readonly type: string
  readonly [member: string]: unknown
}

/** A client that keeps every message. */
export interface TestClient {
  readonly socket: WebSocket
  readonly messages: readonly Message[]
  /** Resolves with the first message of this type, past or future; rejects when the socket closes without it. */
  next(type: string): Promise<Message>
  readonly closed: Promise<{ code: number; reason: string }>
}

export async function connectClient(
  onFinished: OnFinished,
  url: string,
  protocols: string[] = ['token', TEST_KEY],
  options: ClientOptions = {},
): Promise<TestClient> {
  const socket = new WebSocket(url, protocols, options)
  onFinished(() => socket.terminate())
  const messages: Message[] = []
  const waiting = new Set<() => void>()
  const wake = (): void => waiting.forEach((check) => check())
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()))
    wake()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
      wake()
    })
  })
  await once(socket, 'open')
  return {
    socket,
    messages,
    closed,
    next: (type) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = messages.find((message) => message.type === type)
          if (found) resolve(found)
          else if (socket.readyState === socket.CLOSED) reject(new Error(`The socket closed without ${type}.`))
          else return
          waiting.delete(check)
        }
        waiting.add(check)
        check()
      }),
  }
}

export interface Refusal {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly contentType: string | undefined
  readonly body: unknown
}

/** The plain HTTP answer to an upgrade that is refused. */
export async function refusalOf(url: string, protocols: string[], options: ClientOptions = {}): Promise<Refusal> {
  const socket = new WebSocket(url, protocols, options)
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('The upgrade was not refused.')))
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          contentType: response.headers['content-type'],
          body: JSON.parse(Buffer.concat(chunks).toString()),
        }),
      )
    })
  })
}

export function say(type: string): string {
  return JSON.stringify({ type })
}
