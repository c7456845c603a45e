import { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { BODY_READ, type StreamSocket } from './stream-socket.ts'

export interface StreamHead {
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, pseudo-headers included. */
  readonly raw: readonly string[]
}

/** What no request line can hold. HTTP/2 has no such line, but the target reads one. */
const PATH = /^[!-~]+$/

/** The request of HTTP/1.1 that a stream is; undefined when it can be none. */
export function openStreamRequest(
  stream: ServerHttp2Stream,
  socket: StreamSocket,
  { headers, raw }: StreamHead,
): IncomingMessage | undefined {
  const { ':method': method = '', ':path': path = '' } = headers
  if (!PATH.test(path) || method === 'CONNECT') return undefined
  const hasBody = !stream.endAfterHeaders
  const request = new IncomingMessage(socket.asSocket())
  request.method = method
  request.url = path
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.headers = toHeaders(headers)
  request.rawHeaders = toRawHeaders(raw, headers)
  if (hasBody && headers['content-length'] === undefined) {
    request.headers['transfer-encoding'] = 'chunked'
    request.rawHeaders.push('transfer-encoding', 'chunked')
  }
  if (headers.expect?.toLowerCase() === '100-continue') stream.additionalHeaders({ ':status': 100 })
  for (const part of request.rawHeaders) socket.bytesRead += part.length
  fill(request, stream, socket)
  return request
}

function fill(request: IncomingMessage, stream: ServerHttp2Stream, socket: StreamSocket): void {
  let isWanted = true
  request._read = () => void stream.resume()
  stream.on('data', (chunk: Buffer) => {
    socket.bytesRead += chunk.length
    socket.emit(BODY_READ)
    if (isWanted && !request.push(chunk)) stream.pause()
  })
  stream.on('end', () => {
    request.complete = true
    request.push(null)
  })
  // A stream with something unread does not end.
  socket.once('finish', () => {
    isWanted = false
    stream.resume()
  })
  stream.once('close', () => {
    if (!request.complete) request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
  })
  // There is no body: nobody needs to read for the end to come.
  if (stream.endAfterHeaders) stream.resume()
}

function toHeaders(headers: IncomingHttpHeaders): IncomingMessage['headers'] {
  const own: IncomingMessage['headers'] = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && value !== undefined) own[name] = value
  }
  if (headers[':authority'] !== undefined) own['host'] = headers[':authority']
  return own
}

/** A client may send its cookies one by one (RFC 9113 §8.2.3); HTTP/1.1 has one header for them. */
function toRawHeaders(raw: readonly string[], headers: IncomingHttpHeaders): string[] {
  const own: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    if (name === ':authority') own.push('host', raw[index + 1] ?? '')
    else if (!name.startsWith(':') && name !== 'cookie') own.push(name, raw[index + 1] ?? '')
  }
  if (headers.cookie !== undefined) own.push('cookie', headers.cookie)
  return own
}
