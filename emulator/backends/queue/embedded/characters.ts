/** Whether a text has what XML 1.0 cannot carry, and SQS does not take. */
export function hasForbidden(text: string): boolean {
  // Most texts are plain, which costs a fraction to find out.
  return NOT_PLAIN.test(text) && FORBIDDEN.test(text)
}

const NOT_PLAIN = /[^\t\n\r\u0020-\u007E]/
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
