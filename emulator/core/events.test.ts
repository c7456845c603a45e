import { test } from 'vitest'
import { createEventStream, type EnvironmentEvent } from './events.ts'

type Ready = Extract<EnvironmentEvent, { type: 'part.ready' }>
const ready: Ready = { type: 'part.ready', at: 1, part: 'redis', detail: '', tookMs: 1 }

test('next finds an event of the past', async ({ expect }) => {
  const events = createEventStream()
  events.emit(ready)

  expect(await events.next('part.ready', { where: ({ part }) => part === 'redis' })).toEqual(ready)
})

test('next waits for an event of the future', async ({ expect }) => {
  const events = createEventStream()
  const next = events.next('part.ready', { where: ({ part }) => part === 'redis' })
  events.emit({ type: 'part.stopped', at: 1, part: 'redis' })
  events.emit({ ...ready, part: 'postgres' })
  events.emit(ready)

  expect(await next).toEqual(ready)
})

test('next gives up after its time', async ({ expect }) => {
  const events = createEventStream()

  const wanted = { where: () => false, timeoutMs: 1 }
  await expect(events.next('part.ready', wanted)).rejects.toThrow(
    'No part.ready within 1 ms that matches. There was none at all.',
  )
  events.emit(ready)
  await expect(events.next('part.ready', wanted)).rejects.toThrow("There were 1, the last one: { type: 'part.ready'")
})

test('a reader hears nothing after it has left', ({ expect }) => {
  const events = createEventStream()
  const heard: EnvironmentEvent[] = []
  const leave = events.read((event) => heard.push(event))
  events.emit(ready)
  leave()
  events.emit(ready)

  expect(heard).toEqual([ready])
})

test('a flood of one type leaves the past of the others alone, and only its own end is kept', ({ expect }) => {
  const events = createEventStream()
  events.emit(ready)
  for (let at = 0; at < 10_000; at += 1) events.emit({ type: 'part.stopped', at, part: 'redis' })

  const kept = events.of('part.stopped')
  expect(events.of('part.ready')).toEqual([ready])
  expect(kept.length).toBeGreaterThanOrEqual(512)
  expect(kept.length).toBeLessThanOrEqual(1_024)
  expect(kept.at(-1)).toEqual({ type: 'part.stopped', at: 9_999, part: 'redis' })
})
