import * as fc from 'fast-check'
import { test } from 'vitest'
import { createTraceIds } from './trace-id.ts'

/** 67748580 in hexadecimal seconds. */
const NOW_MS = 1_735_689_600_999
const FRESH = '1-67748580-aaaaaaaaaaaaaaaaaaaaaaaa'

const ids = { uuid: () => 'unused', hex: (bytes: number) => 'aa'.repeat(bytes) }

test.for([
  ['no header', undefined, `Root=${FRESH}`],
  ['a root', 'Root=1-a-b', `Self=${FRESH};Root=1-a-b`],
  ['a root and custom fields', 'Root=1-a-b;CalledFrom=app', `Self=${FRESH};Root=1-a-b;CalledFrom=app`],
  ['a self of an earlier balancer', 'Self=1-x-y;Root=1-a-b;X=y', `Self=${FRESH};Root=1-a-b;X=y`],
  ['spaces between fields', 'Root=1-a-b; X=y', `Self=${FRESH};Root=1-a-b;X=y`],
  ['more than 7 KB', `Root=1-a-b;X=${'y'.repeat(7 * 1024)}`, 'Root=1-a-b'],
  ['no root', 'CalledFrom=app', `Root=${FRESH}`],
  ['nonsense', 'hello', `Root=${FRESH}`],
  ['a repeated header', 'Root=1-a-b, Root=1-c-d', `Root=${FRESH}`],
  ['nothing', '', `Root=${FRESH}`],
] as const)('%s', ([, received, expected], { expect }) => {
  expect(createTraceIds(ids)(received, NOW_MS)).toBe(expected)
})

test('every id has chance of its own, over more ids than are drawn at once', ({ expect }) => {
  let drawn = 0
  const counting = { uuid: () => 'unused', hex: (bytes: number) => hexCount(bytes) }
  function hexCount(bytes: number): string {
    let text = ''
    for (; text.length < bytes * 2; drawn += 1) text += drawn.toString(16).padStart(24, '0')
    return text
  }
  const toTraceId = createTraceIds(counting)

  const seen = Array.from({ length: 500 }, () => toTraceId(undefined, NOW_MS))

  expect(new Set(seen).size).toBe(500)
  expect(seen[499]).toBe('Root=1-67748580-0000000000000000000001f3')
})

test('whatever fields a client sends with a root, they stay in order behind one fresh Self', ({ expect }) => {
  const field = fc.stringMatching(/^(Root|Self|CalledFrom|[A-Za-z][\w-]{0,8})=[\w.-]{1,20}$/)
  const separator = fc.constantFrom(';', '; ', ' ;', ';;')
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), fc.nat(8), separator, (others, at, between) => {
      const sent = others.toSpliced(at, 0, 'Root=1-a-b')
      const kept = sent.filter((each) => !each.startsWith('Self='))
      const once = createTraceIds(ids)(sent.join(between), NOW_MS)
      expect(once).toBe([`Self=${FRESH}`, ...kept].join(';'))
      // A second balancer puts its own in the place of the first one's.
      expect(createTraceIds(ids)(once, NOW_MS)).toBe(once)
    }),
  )
})
