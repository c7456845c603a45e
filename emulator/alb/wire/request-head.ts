/** A request's head as it was sent, before anybody decides what it means. */
export interface RequestHead {
  readonly method: string
  /** As sent, spaces included. */
  readonly target: string
  /** `HTTP/1.1` and whatever stands in its place; empty when nothing does. */
  readonly version: string
  readonly fields: readonly Field[]
  /** Lines that a CR does not end. */
  readonly hasBareLf: boolean
}

export interface Field {
  /** As sent, spaces before the colon included. */
  readonly name: string
  /** Without the spaces around it. */
  readonly value: string
  readonly hasColon: boolean
  /** Begins with a space: once the continuation of the line before (RFC 9112 §5.2). */
  readonly isFold: boolean
}

/** `text`: latin1, up to and including the empty line. Whatever it is, something comes out. */
export function parseRequestHead(text: string): RequestHead {
  const lines = text.split('\n')
  const hasBareLf = lines.some((line, index) => index < lines.length - 1 && !line.endsWith('\r'))
  const [requestLine = '', ...rest] = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const fields: Field[] = []
  for (const line of rest) if (line !== '') fields.push(parseField(line))
  return { ...parseRequestLine(requestLine), fields, hasBareLf }
}

/** The first and the last space are those that count. */
function parseRequestLine(line: string): Pick<RequestHead, 'method' | 'target' | 'version'> {
  const first = line.indexOf(' ')
  if (first === -1) return { method: line, target: '', version: '' }
  const method = line.slice(0, first)
  const rest = line.slice(first + 1)
  const last = rest.trimEnd().lastIndexOf(' ')
  if (last === -1)
    return rest.startsWith('HTTP/') ? { method, target: '', version: rest } : { method, target: rest, version: '' }
  return { method, target: rest.slice(0, last), version: rest.slice(last + 1) }
}

function parseField(line: string): Field {
  const isFold = line.startsWith(' ') || line.startsWith('\t')
  const colon = line.indexOf(':')
  if (colon === -1) return { name: line, value: '', hasColon: false, isFold }
  return { name: line.slice(0, colon), value: trimSpaces(line.slice(colon + 1)), hasColon: true, isFold }
}

/** Spaces and tabs alone: a non-breaking space is a byte like any other. */
export function trimSpaces(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}
