import type { IncomingMessage } from 'node:http'
import type { OwnStatus } from './own-status.ts'

/** aws-behaviour §1.12. The reader in front holds the limit of the whole head. */
const MAX_URL_BYTES = 16 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** In `X-Forwarded-For` (aws-behaviour §1.9). */
const MAX_ADDRESSES = 30

/** Why the balancer refuses a well-formed request without looking at its rules; undefined when it does not. */
export function toRefusal(request: IncomingMessage): OwnStatus | undefined {
  const { method, url = '', headers, rawHeaders, httpVersion } = request
  if (method === 'TRACE') return 405
  if (url.length > MAX_URL_BYTES) return 414
  if (headers.host === undefined && httpVersion === '1.1') return 400
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (name.length + value.length > MAX_HEADER_BYTES) return 400
  }
  const hops = headers['x-forwarded-for']
  if (typeof hops === 'string' && hops.split(',').length > MAX_ADDRESSES) return 463
  return undefined
}

/** Whether the client's connection ends with the refusal (aws-behaviour §1.13). */
export function closesAfter(status: OwnStatus): boolean {
  return status === 400 || status === 408 || status === 414 || status === 505
}
