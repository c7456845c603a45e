import { test } from 'vitest'
import { createUuids } from './uuids.ts'

const VERSION_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

test('every UUID has the form of version 4, and none comes twice', ({ expect }) => {
  const uuid = createUuids()
  const made = Array.from({ length: 1000 }, uuid)
  expect(made.filter((each) => !VERSION_4.test(each))).toEqual([])
  expect(new Set(made).size).toBe(1000)
})

test('every digit of a UUID varies but its version', ({ expect }) => {
  const uuid = createUuids()
  const made = Array.from({ length: 1000 }, uuid)
  const varieties = Array.from({ length: 36 }, (_, place) => new Set(made.map((each) => each[place])).size)
  const fixed = (place: number): boolean => [8, 13, 14, 18, 23].includes(place)
  expect(varieties).toEqual(varieties.map((_, place) => (fixed(place) ? 1 : place === 19 ? 4 : 16)))
})
