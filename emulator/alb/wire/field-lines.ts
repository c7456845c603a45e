const BLANKS_AROUND = /^[\t ]+|[\t ]+$/g

/**
 * Names and values in turn of the lines of `text` from `start` on, each with its CRLF, up to an empty one or the end.
 * Whoever asks has seen that each line has its colon.
 */
export function parseFieldLines(text: string, start: number): string[] {
  const fields: string[] = []
  for (let at = start; at < text.length;) {
    const end = text.indexOf('\r\n', at)
    if (end === at) break
    const colon = text.indexOf(':', at)
    fields.push(text.slice(at, colon), trimBlanks(text, colon + 1, end))
    at = end + 2
  }
  return fields
}

/** Usually there is the one blank behind the colon. */
function trimBlanks(text: string, from: number, to: number): string {
  const value = text.slice(text[from] === ' ' ? from + 1 : from, to)
  return isBlank(value[0]) || isBlank(value.at(-1)) ? value.replace(BLANKS_AROUND, '') : value
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}
