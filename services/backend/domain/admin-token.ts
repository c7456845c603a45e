import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether an Authorization header carries the token. How long that takes says nothing about the token. */
export function carriesToken(header: string | undefined, token: string): boolean {
  const [, given = ''] = /^bearer +(\S+)$/i.exec(header?.trim() ?? '') ?? []
  return timingSafeEqual(digest(given), digest(token))
}

/** Both sides have the same length, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
