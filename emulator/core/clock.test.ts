import { type Arbitrary, array, assert, asyncProperty, constant, integer, record } from 'fast-check'
import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { createVirtualClock } from './clock.ts'

test('runs what is due in order, each at its own time', async ({ expect }) => {
  const clock = createVirtualClock(1_000)
  const seen: [string, number][] = []
  clock.after(20, () => seen.push(['later', clock.now()]))
  clock.after(10, () => seen.push(['sooner', clock.now()]))
  clock.after(10, () => seen.push(['sooner, second', clock.now()]))
  clock.after(31, () => seen.push(['not yet', clock.now()]))

  await clock.advance(30)

  expect(seen).toEqual([
    ['sooner', 1_010],
    ['sooner, second', 1_010],
    ['later', 1_020],
  ])
  expect(clock.now()).toBe(1_030)
  expect(clock.pending).toBe(1)
})

test('honours what a callback schedules, and what follows an awaited sleep, within the same advance', async ({
  expect,
}) => {
  const clock = createVirtualClock(0)
  const seen: number[] = []
  const poll = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await clock.sleep(10)
      seen.push(clock.now())
    }
  }

  const polled = poll()
  await clock.advance(30)
  await polled

  expect(seen).toEqual([10, 20, 30])
})

test('a cancelled timer never runs and an aborted sleep rejects with the reason', async ({ expect }) => {
  const clock = createVirtualClock(0)
  const seen: string[] = []
  const timer = clock.after(5, () => seen.push('cancelled'))
  clock.after(4, () => timer.cancel())
  const abort = new AbortController()
  const slept = clock.sleep(5, abort.signal)
  abort.abort(new Error('enough'))

  await expect(slept).rejects.toThrow('enough')
  await clock.advance(10)

  expect(seen).toEqual([])
  expect(clock.pending).toBe(0)
})

test('a callback that throws fails its advance and leaves the clock usable', async ({ expect }) => {
  const clock = createVirtualClock(0)
  clock.after(5, () => {
    throw new Error('broken')
  })

  await expect(clock.advance(10)).rejects.toThrow('broken')
  await clock.advance(10)

  expect(clock.now()).toBe(15)
})

test('advances asked for side by side happen one after the other', async ({ expect }) => {
  const clock = createVirtualClock(0)

  await Promise.all([clock.advance(10), clock.advance(5)])

  expect(clock.now()).toBe(15)
})

test('stands still until what a deadline is for is there', async ({ expect }) => {
  const clock = createVirtualClock(0)
  const seen: string[] = []
  const answer = async (): Promise<void> => {
    const deadline = clock.deadline(10, () => seen.push(`${clock.now()} given up`))
    await systemClock.sleep(30)
    deadline.cancel()
    seen.push(`${clock.now()} answered`)
  }
  clock.after(5, () => void answer())
  clock.after(6, () => seen.push(`${clock.now()} after it`))

  await clock.advance(60_000)

  expect(seen).toEqual(['5 answered', '6 after it'])
})

test('does not wait for ever: what is not answered is given up at its time', async ({ expect }) => {
  const clock = createVirtualClock(0)
  const seen: number[] = []
  clock.deadline(10, () => seen.push(clock.now()))
  clock.deadline(2_000, () => seen.push(clock.now()))

  await clock.advance(1_000)

  expect(seen).toEqual([10])
  expect(clock.now()).toBe(1_000)
})

/** A timer and the timers that it schedules when it runs. */
interface Plan {
  readonly afterMs: number
  readonly later: readonly Plan[]
}

const afterMs = integer({ min: 0, max: 20 })
const leaf: Arbitrary<Plan> = record({ afterMs, later: constant([]) })
const branch: Arbitrary<Plan> = record({ afterMs, later: array(leaf, { maxLength: 2 }) })
const plan: Arbitrary<Plan> = record({ afterMs, later: array(branch, { maxLength: 2 }) })

test('agrees with a clock that steps through every millisecond', async ({ expect }) => {
  await assert(
    asyncProperty(
      array(plan, { maxLength: 6 }),
      array(integer({ min: 0, max: 25 }), { maxLength: 4 }),
      async (plans, spansMs) => {
        const clock = createVirtualClock(0)
        const seen: string[] = []
        const schedule = (given: Plan, name: string): void => {
          clock.after(given.afterMs, () => {
            seen.push(`${clock.now()} ${name}`)
            given.later.forEach((next, index) => schedule(next, `${name}.${index}`))
          })
        }
        plans.forEach((each, index) => schedule(each, String(index)))

        for (const spanMs of spansMs) await clock.advance(spanMs)

        const endMs = spansMs.reduce((sum, spanMs) => sum + spanMs, 0)
        const wanted = spansMs.length === 0 ? [] : stepped(plans, endMs)
        expect(seen).toEqual(wanted)
      },
    ),
  )
})

/** The reference: looks at every timer at every millisecond. */
function stepped(given: readonly Plan[], endMs: number): string[] {
  const waiting = given.map((each, index) => ({ at: each.afterMs, plan: each, name: String(index) }))
  const seen: string[] = []
  for (let nowMs = 0; nowMs <= endMs; nowMs += 1) {
    for (let due = waiting.find(({ at }) => at === nowMs); due; due = waiting.find(({ at }) => at === nowMs)) {
      waiting.splice(waiting.indexOf(due), 1)
      seen.push(`${nowMs} ${due.name}`)
      for (const [index, next] of due.plan.later.entries()) {
        waiting.push({ at: nowMs + next.afterMs, plan: next, name: `${due.name}.${index}` })
      }
    }
  }
  return seen
}
