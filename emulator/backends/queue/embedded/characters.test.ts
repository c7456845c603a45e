import { assert, constantFrom, jsonValue, oneof, property, string } from 'fast-check'
import { test } from 'vitest'
import { hasForbidden, isVerbatim } from './characters.ts'

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

/** Values whose strings have everything that JSON and XML treat with care. */
const values = oneof(
  jsonValue(),
  jsonValue({ stringUnit: 'binary' }),
  string({
    unit: constantFrom(
      'a',
      ' ',
      '"',
      '\\',
      '/',
      '\n',
      '\0',
      '\u001f',
      '\u007f',
      '\u0080',
      'é',
      '\u2028',
      '\ufffe',
      '\ud83d',
    ),
  }),
)

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => stringsOf(member).concat(name))
}

test('strings of a verbatim text are the same everywhere, and nothing in them is forbidden', ({ expect }) => {
  let verbatim = 0
  assert(
    property(values, (value) => {
      const json = JSON.stringify(value)
      if (!isVerbatim(json)) return
      verbatim += 1
      for (const each of stringsOf(value)) {
        expect([JSON.stringify(each), Buffer.from(each).toString('latin1')]).toEqual([`"${each}"`, each])
        expect(hasForbidden(each)).toBe(false)
      }
    }),
    { numRuns: 1000 },
  )
  expect(verbatim).toBeGreaterThan(100)
  expect([isVerbatim('{"a":"b c"}'), isVerbatim('"\\u0061"'), isVerbatim('"é"')]).toEqual([true, false, false])
})
