import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '../../wire/api-error.ts'

/**
 * Refuses a handshake that the WebSocket library would, before anything is opened for it and with an answer in JSON
 * (RFC 6455 §4.2.1).
 * @throws ApiError 400.
 */
export function assertHandshake(headers: IncomingHttpHeaders): void {
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw new ApiError(400, 'Only upgrades to websocket are known.')
  if (headers['sec-websocket-version'] !== '13') throw new ApiError(400, 'Sec-WebSocket-Version must be 13.')
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) throw new ApiError(400, 'Sec-WebSocket-Key is malformed.')
  const protocols = headers['sec-websocket-protocol']
  if (protocols !== undefined && !isProtocolList(protocols)) {
    throw new ApiError(400, 'Sec-WebSocket-Protocol is malformed.')
  }
}

/** Sixteen bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/
/** A token of RFC 9110 §5.6.2. */
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/

function isProtocolList(header: string): boolean {
  const names = header.split(',').map((name) => name.trim())
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length
}
