import { stripVTControlCharacters } from 'node:util'

/** What came from elsewhere, fit for one line of a terminal: no escape sequences, no control characters. */
export function toLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
}
