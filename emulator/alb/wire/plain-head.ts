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
const BLANKS_AROUND = /^[\t ]+|[\t ]+$/g

/**
 * Takes an ordinary head (see `scanHead`) apart; undefined where it says more of its connection than that it stays, or
 * asks for no path. A parser in C++ costs more than this does, for all the calls between.
 */
export function readPlainHead(bytes: Buffer, start: number, end: number): PlainHead | undefined {
  const text = bytes.toString('latin1', start, end)
  const lineEnd = text.indexOf('\r\n')
  const space = text.indexOf(' ')
  if (text[space + 1] !== '/') return undefined
  const rawHeaders: string[] = []
  for (let at = lineEnd + 2, next = 0; at < text.length - 2; at = next + 2) {
    next = text.indexOf('\r\n', at)
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon)
    const value = trimBlanks(text, colon + 1, next)
    if (name.length === CONNECTION_LENGTH || name.length === PROXY_CONNECTION_LENGTH) {
      if (isAboutConnection(name) && value.toLowerCase() !== 'keep-alive') return undefined
    }
    rawHeaders.push(name, value)
  }
  return { method: text.slice(0, space), target: text.slice(space + 1, lineEnd - VERSION_LENGTH), rawHeaders }
}

/** Usually there is the one blank behind the colon. */
function trimBlanks(text: string, from: number, to: number): string {
  const value = text.slice(text[from] === ' ' ? from + 1 : from, to)
  const isTrimmed = !isBlank(value[0]) && !isBlank(value.at(-1))
  return isTrimmed ? value : value.replace(BLANKS_AROUND, '')
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

function isAboutConnection(name: string): boolean {
  const key = name.toLowerCase()
  return key === 'connection' || key === 'proxy-connection'
}
