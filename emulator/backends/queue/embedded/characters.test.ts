import { test } from 'vitest'
import { hasForbidden } from './characters.ts'

/** Valid characters as the API names them in its error. */
function isForbidden(codePoint: number): boolean {
  if (codePoint === 0x9 || codePoint === 0xa || codePoint === 0xd) return false
  const isLow = codePoint >= 0x20 && codePoint <= 0xd7ff
  const isHigh = codePoint >= 0xe000 && codePoint <= 0xfffd
  return !isLow && !isHigh && codePoint < 0x10000
}

test('each character is taken or not as the API says', ({ expect }) => {
  const wrong: number[] = []
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
    if (hasForbidden(String.fromCodePoint(codePoint)) !== isForbidden(codePoint)) wrong.push(codePoint)
  }
  expect(wrong).toEqual([])
})

test('half a pair is found among whole ones', ({ expect }) => {
  expect(['a😀b', 'a\uD83Db', '😀\uDE00', '\uD83D😀', 'é\u0001é'].map(hasForbidden)).toEqual([
    false,
    true,
    true,
    true,
    true,
  ])
})
