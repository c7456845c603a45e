import type { IncomingMessage } from 'node:http'

/** The request's head as it goes to the target. A request that the client sent over HTTP/1.0 or HTTP/2 is 1.1 from here on. */
export function toRequestHead({ method, url, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/1.1\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2)
    head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`
  return `${head}\r\n`
}

/** Names and values in turn, each on a line. */
export function toTrailerLines(trailers: readonly string[]): string {
  let lines = ''
  for (let index = 0; index < trailers.length; index += 2) lines += `${trailers[index]}: ${trailers[index + 1]}\r\n`
  return lines
}
