import * as fc from 'fast-check'
import { test } from 'vitest'
import { monthOf, priceMonth } from './invoice.ts'
import { PLANS, planOf } from './plans.ts'

const HOUR_MS = 3_600_000

test('hours are priced by kind, and a fraction of a millionth is rounded, halves up', ({ expect }) => {
  const plan = planOf('pay-as-you-go')
  expect(priceMonth(plan, { file: 2 * HOUR_MS, stream: HOUR_MS / 2 }, 0)).toMatchObject({
    lines: [{ amountMicros: 225_000 }, { amountMicros: 500_000 }],
    totalMicros: 725_000,
  })
  // 0.25 $/h is 0.0694… millionths a millisecond: 7 ms are 0.486, 8 ms are 0.556.
  expect(priceMonth(plan, { file: 7, stream: 0 }, 0).totalMicros).toBe(0)
  expect(priceMonth(plan, { file: 8, stream: 0 }, 0).totalMicros).toBe(1)
})

test('what a plan includes is spent on live audio first', ({ expect }) => {
  const { lines, totalMicros } = priceMonth(planOf('growth'), { stream: 200 * HOUR_MS, file: 100 * HOUR_MS }, 0)
  expect(lines).toEqual([
    { description: 'Growth, a month', amountMicros: 99_000_000 },
    { description: 'Live transcription, included', quantityMs: 200 * HOUR_MS, amountMicros: 0 },
    { description: 'File transcription, included', quantityMs: 50 * HOUR_MS, amountMicros: 0 },
    { description: 'File transcription', quantityMs: 50 * HOUR_MS, perHourMicros: 200_000, amountMicros: 10_000_000 },
  ])
  expect(totalMicros).toBe(109_000_000)
})

test('whatever is used, all of it is on a line, the sums are exact and credit never pays too much', ({ expect }) => {
  const ms = fc.integer({ min: 0, max: 1e11 })
  fc.assert(
    fc.property(fc.constantFrom(...PLANS), ms, ms, fc.maxSafeInteger(), (plan, file, stream, balance) => {
      const { lines, subtotalMicros, creditMicros, totalMicros } = priceMonth(plan, { file, stream }, balance)
      expect(lines.reduce((sum, { quantityMs = 0 }) => sum + quantityMs, 0)).toBe(file + stream)
      expect(lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0)).toBe(subtotalMicros)
      for (const amount of [subtotalMicros, creditMicros, totalMicros]) {
        expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true)
      }
      expect(creditMicros).toBeLessThanOrEqual(Math.max(balance, 0))
      expect(creditMicros + totalMicros).toBe(subtotalMicros)
    }),
  )
})

test('a month begins and ends in UTC', ({ expect }) => {
  const december = { from: new Date('2026-12-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') }
  expect(monthOf(Date.parse('2026-12-31T23:59:59.999Z'))).toEqual(december)
  expect(monthOf(Date.parse('2026-12-01T00:00:00Z'))).toEqual(december)
})
