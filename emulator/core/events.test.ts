import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { createEventStream, type EnvironmentEvent } from './events.ts'

type Ready = Extract<EnvironmentEvent, { type: 'part.ready' }>
const isReady = (event: EnvironmentEvent): event is Ready => event.type === 'part.ready'
const ready: Ready = { type: 'part.ready', at: 1, part: 'redis', detail: '', tookMs: 1 }

test('next finds an event of the past', async ({ expect }) => {
  const events = createEventStream(systemClock)
  events.emit(ready)

  expect(await events.next(isReady, 1_000)).toEqual(ready)
})

test('next waits for an event of the future', async ({ expect }) => {
  const events = createEventStream(systemClock)
  const next = events.next(isReady, 1_000)
  events.emit({ type: 'part.stopped', at: 1, part: 'redis' })
  events.emit(ready)

  expect(await next).toEqual(ready)
})

test('next gives up after its time', async ({ expect }) => {
  const events = createEventStream(systemClock)

  await expect(events.next(isReady, 1)).rejects.toThrow('No matching event within 1 ms.')
})

test('a reader hears nothing after it has left', ({ expect }) => {
  const events = createEventStream(systemClock)
  const heard: EnvironmentEvent[] = []
  const leave = events.read((event) => heard.push(event))
  events.emit(ready)
  leave()
  events.emit(ready)

  expect(heard).toEqual([ready])
})

test('a flood of one type leaves the past of the others alone, and only its own end is kept', ({ expect }) => {
  const events = createEventStream(systemClock)
  events.emit(ready)
  for (let at = 0; at < 10_000; at += 1) events.emit({ type: 'part.stopped', at, part: 'redis' })

  const kept = events.of('part.stopped')
  expect(events.of('part.ready')).toEqual([ready])
  expect(kept.length).toBeGreaterThanOrEqual(512)
  expect(kept.length).toBeLessThanOrEqual(1_024)
  expect(kept.at(-1)).toEqual({ type: 'part.stopped', at: 9_999, part: 'redis' })
})
