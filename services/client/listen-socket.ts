import { WebSocket } from 'ws'
import { refusal, unreachable } from './client-error.ts'

export interface ListenTarget {
  /** Where the API is: `http://127.0.0.1:8080`. */
  readonly url: string
  readonly key: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Longest wait for the upgrade; a server that takes longer does not work. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/**
 * Opens `/v1/listen` and hands the socket to `use` in the very turn it opens: the server speaks first, and its words may
 * have come with the upgrade. Rejects with a `ClientError` that holds the server's own words when it refuses.
 */
export function openListenSocket<T>({ url, key, parameters }: ListenTarget, use: (socket: WebSocket) => T): Promise<T> {
  const address = new URL('/v1/listen', url)
  address.protocol = address.protocol === 'https:' || address.protocol === 'wss:' ? 'wss:' : 'ws:'
  address.search = new URLSearchParams(parameters).toString()
  const socket = new WebSocket(address, {
    headers: { authorization: `Bearer ${key}` },
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
  })

  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(use(socket)))
    socket.once('error', (error) => reject(unreachable(url, error)))
    socket.once('unexpected-response', (request, response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.once('close', () => {
        request.destroy()
        reject(refusal(response.statusCode ?? 0, body))
      })
    })
  })
}
