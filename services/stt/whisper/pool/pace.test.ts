import * as fc from 'fast-check'
import { test } from 'vitest'
import { createPace, type Pace } from './pace.ts'

/** So many streams whose interims come round in `cycleMs` when the workers are busy; the interval at each second. */
function listen(pace: Pace, { fromMs, seconds, cycleMs, streams = 10 }: Load): number[] {
  const intervals = []
  for (let second = 0; second < seconds; second += 1) {
    for (let stream = 0; stream < streams; stream += 1) {
      const { intervalMs } = pace
      const nowMs = fromMs + second * 1000 + (stream * 1000) / streams
      pace.observe({ intervalMs, waitedMs: Math.max(0, cycleMs - intervalMs), nowMs })
    }
    intervals.push(pace.intervalMs)
  }
  return intervals
}

interface Load {
  readonly fromMs: number
  readonly seconds: number
  readonly cycleMs: number
  readonly streams?: number
}

test('interims come twice a second while a worker is free soon', ({ expect }) => {
  const intervals = listen(createPace(), { fromMs: 0, seconds: 20, cycleMs: 700 })
  expect(Math.max(...intervals)).toBe(500)
})

test('interims come less often within seconds of a load, and settle where they wait little', ({ expect }) => {
  const intervals = listen(createPace(), { fromMs: 0, seconds: 20, cycleMs: 2100 })

  expect(intervals[2]).toBeGreaterThan(1000)
  // All of the cycle but a short wait, and steadily so.
  expect(intervals.slice(10).every((interval) => interval > 1100 && interval < 1400)).toBe(true)
  expect(intervals).toEqual(intervals.toSorted((one, other) => one - other))
})

test('interims return to half a second after a load, slowly', ({ expect }) => {
  const pace = createPace()
  listen(pace, { fromMs: 0, seconds: 20, cycleMs: 3000 })
  expect(pace.intervalMs).toBe(2000)

  const intervals = listen(pace, { fromMs: 20_000, seconds: 60, cycleMs: 100 })

  expect(intervals[0]).toBeGreaterThan(1500)
  expect(intervals.at(-1)).toBeLessThan(510)
  expect(intervals).toEqual(intervals.toSorted((one, other) => other - one))
})

test('the interval stays between half a second and two, whatever happens', ({ expect }) => {
  const wait = fc.record({ waitedMs: fc.nat(100_000), elapsedMs: fc.nat(100_000) })
  fc.assert(
    fc.property(fc.array(wait), (waits) => {
      const pace = createPace()
      let nowMs = 0
      for (const { waitedMs, elapsedMs } of waits) {
        nowMs += elapsedMs
        pace.observe({ intervalMs: pace.intervalMs, waitedMs, nowMs })
        expect(pace.intervalMs).toBeGreaterThanOrEqual(500)
        expect(pace.intervalMs).toBeLessThanOrEqual(2000)
      }
    }),
  )
})
