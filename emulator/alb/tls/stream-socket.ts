import { type ServerHttp2Stream, constants } from 'node:http2'
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** What belongs to a connection of HTTP/1.1, or to the way its bytes are cut: HTTP/2 has its own (RFC 9113 §8.2.2). */
const CONNECTION_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** Event of a `StreamSocket`: some of the request's body has come. */
export const BODY_READ = 'body-read'

const HEAD_END = '\r\n\r\n'

/**
 * A stream of HTTP/2 as the end of a connection that one answer in HTTP/1.1 is written to. Nothing is read from it: the
 * request's body has its own way.
 */
export class StreamSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly encrypted = true
  /** Of this request alone, heads counted as HTTP/1.1 would write them. */
  bytesRead = 0
  bytesWritten = 0
  readonly #stream: ServerHttp2Stream
  /** What has come of the answer's head; undefined when all of it has. */
  #head: Buffer | undefined = Buffer.alloc(0)

  constructor(stream: ServerHttp2Stream, connection: TLSSocket) {
    super()
    this.#stream = stream
    this.remoteAddress = connection.remoteAddress
    this.remotePort = connection.remotePort
    this.localAddress = connection.localAddress
    this.localPort = connection.localPort
    stream.once('close', () => this.destroy())
  }

  /** It has what servers of HTTP/1.1 ask of a socket: a duplex stream, addresses, counters and the setters below. */
  asSocket(): Socket {
    return this as unknown as Socket
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length
    const body = this.#head === undefined ? chunk : this.#readHead(this.#head, chunk)
    if (body.length === 0 || !this.#stream.writable) return done()
    this.#stream.write(body, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#stream.writable) return done()
    this.#stream.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const isWhole = this.#stream.writableFinished
    if (!this.#stream.closed)
      this.#stream.close(isWhole ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR)
    done(error)
  }

  /** Part of what HTTP servers expect of a socket; time-outs of streams are their connection's. */
  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  /** Sends each head that is complete and returns what follows the last one. */
  #readHead(before: Buffer, chunk: Buffer): Buffer {
    let rest = before.length === 0 ? chunk : Buffer.concat([before, chunk])
    for (let end = rest.indexOf(HEAD_END); end !== -1; end = rest.indexOf(HEAD_END)) {
      const { status, headers } = parseHead(rest.toString('latin1', 0, end))
      rest = rest.subarray(end + HEAD_END.length)
      if (!this.#send(status, headers)) continue
      this.#head = undefined
      return rest
    }
    this.#head = rest
    return Buffer.alloc(0)
  }

  /** Returns whether it was the answer's own head, not one that only announces it. */
  #send(status: number, headers: Record<string, string | string[]>): boolean {
    const isFinal = status >= 200
    if (this.#stream.destroyed) return isFinal
    if (isFinal) this.#stream.respond({ ':status': status, ...headers })
    else this.#stream.additionalHeaders({ ':status': status, ...headers })
    return isFinal
  }
}

interface Head {
  readonly status: number
  readonly headers: Record<string, string | string[]>
}

/** Written by Node's own server, so that its form is known. */
function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const headers: Record<string, string | string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    if (CONNECTION_HEADERS.has(name)) continue
    const value = line.slice(colon + 1).trim()
    const before = headers[name]
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return { status: Number(statusLine.split(' ')[1]), headers }
}
