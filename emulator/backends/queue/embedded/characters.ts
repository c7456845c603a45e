/**
 * Whether each string in a JSON text is the same in JSON, in UTF-8 and in latin1: ASCII without escapes. One that is has
 * nothing that is forbidden either. Asked of a whole text, where it takes a tenth of the time of looking at its strings.
 */
export function isVerbatim(json: string): boolean {
  return !json.includes('\\') && Buffer.byteLength(json) === json.length
}

/** Whether a text has what XML 1.0 cannot carry, and SQS does not take. */
export function hasForbidden(text: string): boolean {
  // Code units are looked at in half the time that characters take, and few texts have a suspicious one.
  return SUSPICIOUS.test(text) && FORBIDDEN.test(text)
}

/** Control characters, halves of pairs, and the two that are none. */
const SUSPICIOUS = new RegExp(String.raw`[\0-\x08\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]`)
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
