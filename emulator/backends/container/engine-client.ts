import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { text } from 'node:stream/consumers'

/** The few calls to the engine's API that are ours; starting containers is left to testcontainers. */
export interface EngineClient {
  /** Parsed JSON, or the text where it is none. Throws `EngineError` for what the engine refuses. */
  call(method: string, path: string, options?: CallOptions): Promise<unknown>
  /** The answer as it arrives; its status is good. */
  stream(method: string, path: string): Promise<IncomingMessage>
}

export interface CallOptions {
  readonly body?: unknown
  readonly timeoutMs?: number
}

/** The engine's own refusal. */
export class EngineError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'EngineError'
    this.status = status
  }
}

/** Stopping and removing a container takes the longest. */
const CALL_TIMEOUT_MS = 30_000

export function engineClient(address: Pick<RequestOptions, 'socketPath' | 'host' | 'port'>): EngineClient {
  const send = async (method: string, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const sent = request({ ...address, method, path, headers, agent: false, signal }, resolve)
      sent.once('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
    const status = response.statusCode ?? 0
    if (status < 400) return response
    throw new EngineError(status, refusalOf(await text(response)))
  }
  return {
    async call(method, path, { body, timeoutMs = CALL_TIMEOUT_MS } = {}) {
      const answer = await text(await send(method, path, body, AbortSignal.timeout(timeoutMs)))
      return parsed(answer)
    },
    stream: (method, path) => send(method, path, undefined),
  }
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

function refusalOf(answer: string): string {
  const body = parsed(answer)
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : answer.trim()
}
