import { array, assert, integer, property, tuple } from 'fast-check'
import { test } from 'vitest'
import { parseMatcher } from './matcher.ts'

test('a matcher names codes, lists and ranges; 200 when absent', ({ expect }) => {
  const passes = (matcher?: string): number[] => {
    const isPass = parseMatcher(matcher)
    return [199, 200, 201, 202, 299, 301, 499].filter((status) => isPass?.(status))
  }

  expect(passes()).toEqual([200])
  expect(passes('200,202')).toEqual([200, 202])
  expect(passes('200-299')).toEqual([200, 201, 202, 299])
  expect(passes('202,300-499')).toEqual([202, 301, 499])
})

test('what AWS refuses is no matcher', ({ expect }) => {
  for (const matcher of ['', '200,', '199', '500', '300-200', '2xx', '200-', '200 , 201', '200-600']) {
    expect(parseMatcher(matcher), matcher).toBeUndefined()
  }
})

test('any list of ranges holds exactly what is in one of them', ({ expect }) => {
  const status = integer({ min: 200, max: 499 })
  const range = tuple(status, status).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const)
  assert(
    property(array(range, { minLength: 1, maxLength: 5 }), status, (ranges, asked) => {
      const isPass = parseMatcher(
        ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(','),
      )
      expect(isPass?.(asked)).toBe(ranges.some(([first, last]) => asked >= first && asked <= last))
    }),
  )
})
