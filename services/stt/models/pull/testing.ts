import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What one request is to be answered with. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent at once; without it nothing follows the head. */
  readonly body?: Uint8Array
  /** Leaves the answer open after the body, until `cut`. */
  readonly staysOpen?: boolean
}

export interface FileServer {
  readonly url: URL
  /** Headers of all requests so far. */
  readonly requests: readonly IncomingHttpHeaders[]
  /** Breaks the connections of answers that are open. */
  cut(): void
  close(): Promise<void>
}

/** A web server on loopback that answers as `reply` decides; the number counts requests from 0. */
export async function startFileServer(
  reply: (headers: IncomingHttpHeaders, request: number) => Reply,
): Promise<FileServer> {
  const requests: IncomingHttpHeaders[] = []
  const pending = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    const {
      status = 200,
      headers = {},
      body = new Uint8Array(),
      staysOpen = false,
    } = reply(request.headers, requests.length)
    requests.push(request.headers)
    response.writeHead(status, headers)
    response.write(body)
    if (staysOpen) pending.add(response)
    else response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/models/ggml-small.test.bin`),
    requests,
    cut() {
      for (const response of pending) response.destroy()
      pending.clear()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** How a well-behaved server answers for these bytes. */
export function serve(content: Uint8Array, headers: IncomingHttpHeaders, etag: string): Reply {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const condition = headers['if-range']
  if (start === 0 || (condition !== undefined && condition !== etag)) {
    return { headers: { etag, 'content-length': String(content.length) }, body: content }
  }
  if (start >= content.length) return { status: 416, headers: { 'content-range': `bytes */${content.length}` } }
  return {
    status: 206,
    headers: {
      etag,
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      'content-length': String(content.length - start),
    },
    body: content.subarray(start),
  }
}
