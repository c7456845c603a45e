/**
 * Just enough of PostgreSQL's protocol (manual, "Frontend/Backend Protocol") to know where a message of the server ends,
 * and to say goodbye in its own words.
 */

export interface MessageTrack {
  /** Whether everything passed so far ends with a whole message. */
  readonly isBetween: boolean
  /** Moves on; returns how much of the chunk belongs to the message that was begun before it. */
  push(chunk: Buffer): number
}

/** A message: one byte of type, four of length, which count themselves. */
const HEADER_BYTES = 5
/** No, SSL, GSSAPI. */
const NEGOTIATION_ANSWERS = 'NSG'

/** Follows what a server sends, looking at headers only. */
export function trackMessages(): MessageTrack {
  let isFirst = true
  let remaining = 0
  let header: Buffer = Buffer.alloc(0)

  return {
    get isBetween() {
      return remaining === 0 && header.length === 0
    },
    push(chunk) {
      // The answer to a request for encryption is one byte, and nothing may follow it before the client spoke.
      const isNegotiation = isFirst && chunk.length === 1 && NEGOTIATION_ANSWERS.includes(chunk.toString('latin1'))
      if (isNegotiation) return 1
      isFirst = false
      let firstEnd = remaining === 0 && header.length === 0 ? 0 : -1
      let at = 0
      while (at < chunk.length) {
        if (remaining > 0) {
          const taken = Math.min(remaining, chunk.length - at)
          remaining -= taken
          at += taken
        } else {
          const part = chunk.subarray(at, at + HEADER_BYTES - header.length)
          at += part.length
          header = header.length === 0 ? part : Buffer.concat([header, part])
          if (header.length < HEADER_BYTES) break
          remaining = header.readUInt32BE(1) + 1 - HEADER_BYTES
          header = Buffer.alloc(0)
        }
        if (firstEnd < 0 && remaining === 0) firstEnd = at
      }
      return firstEnd < 0 ? chunk.length : firstEnd
    },
  }
}

/** What a server says before it closes a connection: severity FATAL, an SQLSTATE and its text. */
export function fatalError(code: string, message: string): Buffer {
  const fields = [`SFATAL`, 'VFATAL', `C${code}`, `M${message}`].map((field) => `${field}\0`).join('')
  const body = Buffer.from(`${fields}\0`)
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('E')
  header.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

export type FirstMessage = 'incomplete' | 'encryption' | 'startup'

/** Request codes of SSLRequest and GSSENCRequest. */
const ENCRYPTION_CODES = new Set([80877103, 80877104])
/** Both are exactly this long, and no start-up message is shorter. */
export const ENCRYPTION_REQUEST_BYTES = 8

/** What a client begins with. */
export function readFirstMessage(bytes: Buffer): FirstMessage {
  if (bytes.length < ENCRYPTION_REQUEST_BYTES) return 'incomplete'
  if (ENCRYPTION_CODES.has(bytes.readUInt32BE(4))) return 'encryption'
  return bytes.length < bytes.readUInt32BE(0) ? 'incomplete' : 'startup'
}
