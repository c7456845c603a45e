import * as fc from 'fast-check'
import { test } from 'vitest'
import { monthOf, periodsOf } from './plan-periods.ts'
import { PLANS, planOf } from './plans.ts'

const at = (text: string): Date => new Date(`2026-${text}Z`)
const february = monthOf(at('02-15T00:00').getTime())

/** Plan, beginning and days of each part. */
function shown(changes: readonly (readonly [string, Date])[]): string[] {
  return periodsOf(
    february,
    changes.map(([id, since]) => ({ plan: planOf(id), since })),
  ).map(({ plan, from, days }) => `${plan.id} ${from.toISOString().slice(5, 16)} ${days.from}-${days.to}`)
}

test('a month begins and ends in UTC', ({ expect }) => {
  const december = { from: at('12-01T00:00:00'), to: new Date('2027-01-01T00:00:00Z') }
  expect(monthOf(Date.parse('2026-12-31T23:59:59.999Z'))).toEqual(december)
  expect(monthOf(Date.parse('2026-12-01T00:00:00Z'))).toEqual(december)
})

test('the default plan is in force until one is taken, and that one until the next', ({ expect }) => {
  expect(shown([])).toEqual(['free 02-01T00:00 0-28'])
  expect(shown([['growth', at('01-07T12:00')]])).toEqual(['growth 02-01T00:00 0-28'])
  expect(shown([['growth', at('02-01T00:00')]])).toEqual(['growth 02-01T00:00 0-28'])
  expect(shown([['growth', at('03-01T00:00')]])).toEqual(['free 02-01T00:00 0-28'])
  expect(
    shown([
      ['pay-as-you-go', at('02-20T06:30')],
      ['growth', at('02-10T23:59')],
    ]),
  ).toEqual(['free 02-01T00:00 0-9', 'growth 02-10T23:59 9-19', 'pay-as-you-go 02-20T06:30 19-28'])
})

test('a day belongs to the plan with which it ends', ({ expect }) => {
  expect(
    shown([
      ['growth', at('02-03T01:00')],
      ['free', at('02-03T02:00')],
    ]),
  ).toEqual(['free 02-01T00:00 0-2', 'growth 02-03T01:00 2-2', 'free 02-03T02:00 2-28'])
})

test('a plan that is taken again goes on', ({ expect }) => {
  expect(
    shown([
      ['growth', at('01-07T12:00')],
      ['growth', at('02-07T12:00')],
    ]),
  ).toEqual(['growth 02-01T00:00 0-28'])
})

test('whenever plans were changed, the parts are the whole month', ({ expect }) => {
  const since = fc.date({ min: at('01-20T00:00'), max: at('03-10T00:00'), noInvalidDate: true })
  const change = fc.record({ plan: fc.constantFrom(...PLANS), since })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const parts = periodsOf(february, changes)
      expect([parts[0]?.from, parts.at(-1)?.to]).toEqual([february.from, february.to])
      expect([parts[0]?.days.from, parts.at(-1)?.days.to]).toEqual([0, 28])
      for (const [index, { from, to, days, plan }] of parts.entries()) {
        expect(from.getTime()).toBeLessThan(to.getTime())
        const next = parts[index + 1]
        if (!next) continue
        expect([next.from, next.days.from]).toEqual([to, days.to])
        expect(next.plan.id).not.toBe(plan.id)
      }
    }),
  )
})
