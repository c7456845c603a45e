import { test } from 'vitest'
import { placeTask, placeTasks } from './placement.ts'

test('tasks are spread over one, two and three zones as ECS spreads them', ({ expect }) => {
  const spread = (zones: readonly string[], count: number): string => {
    const placed = placeTasks(zones, count)
    return zones.map((zone) => placed.filter((each) => each === zone).length).join('/')
  }

  expect([2, 4, 10].map((count) => spread(['a', 'b', 'c'], count))).toEqual(['1/1/0', '2/1/1', '4/3/3'])
  expect([2, 4, 10].map((count) => spread(['a', 'b'], count))).toEqual(['1/1', '2/2', '5/5'])
  expect([2, 4, 10].map((count) => spread(['a'], count))).toEqual(['2', '4', '10'])
})

test('one more task goes where the fewest are', ({ expect }) => {
  const tasks = ['a', 'a', 'b', 'c', 'c'].map((zone) => ({ zone }))

  expect(placeTask(['a', 'b', 'c'], tasks)).toBe('b')
  expect(placeTask(['a', 'b', 'c', 'd'], tasks)).toBe('d')
  expect(() => placeTask([], tasks)).toThrow('A task needs a zone.')
})
