import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { QueueAnswer } from '../port.ts'

/** A batch of the largest messages with every byte escaped. */
const MAX_BODY_BYTES = 8 * 1024 * 1024

/** Answers what comes by HTTP. */
export function createHandler(answer: QueueAnswer): RequestListener {
  return (request, response) => {
    readBody(request, (body) => {
      const { headers, url = '/' } = request
      const target = headers['x-amz-target']
      const content = {
        target: typeof target === 'string' ? target : undefined,
        url,
        host: headers.host ?? 'localhost',
        body,
      }
      answer({ ...content, signal: () => departure(request, response) }, (reply) => {
        response.writeHead(reply.status, {
          ...reply.headers,
          'x-amzn-RequestId': reply.requestId,
          'content-length': Buffer.byteLength(reply.body),
        })
        response.end(reply.body)
      })
    })
  }
}

/** Aborts when the client has closed its side. */
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
