import { parseFieldLines } from './field-lines.ts'

/** A request without a body whose connection stays, in the words that Node's parser would have found. */
export interface PlainHead {
  readonly method: string
  readonly target: string
  /** Names and values in turn, as sent. */
  readonly rawHeaders: string[]
}

const CONNECTION_LENGTH = 'connection'.length
const PROXY_CONNECTION_LENGTH = 'proxy-connection'.length
const VERSION_LENGTH = ' HTTP/1.1'.length

/**
 * Takes an ordinary head (see `scanHead`) apart; undefined where it says more of its connection than that it stays, or
 * asks for no path. A parser in C++ costs more than this does, for all the calls between.
 */
export function readPlainHead(bytes: Buffer, start: number, end: number): PlainHead | undefined {
  const text = bytes.toString('latin1', start, end)
  const lineEnd = text.indexOf('\r\n')
  const space = text.indexOf(' ')
  if (text[space + 1] !== '/') return undefined
  const rawHeaders = parseFieldLines(text, lineEnd + 2)
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== CONNECTION_LENGTH && name.length !== PROXY_CONNECTION_LENGTH) continue
    if (isAboutConnection(name) && rawHeaders[index + 1]?.toLowerCase() !== 'keep-alive') return undefined
  }
  return { method: text.slice(0, space), target: text.slice(space + 1, lineEnd - VERSION_LENGTH), rawHeaders }
}

function isAboutConnection(name: string): boolean {
  const key = name.toLowerCase()
  return key === 'connection' || key === 'proxy-connection'
}
