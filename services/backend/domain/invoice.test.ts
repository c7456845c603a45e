import * as fc from 'fast-check'
import { test } from 'vitest'
import { type LineItem, priceMonth, type UsedMs, type UsedPeriod } from './invoice.ts'
import { monthOf } from './plan-periods.ts'
import { type Plan, PLANS, planOf } from './plans.ts'

const HOUR_MS = 3_600_000
const DAYS = 30
const { from, to } = monthOf(Date.UTC(2026, 5))

function period(plan: Plan, used: UsedMs, days = { from: 0, to: DAYS }): UsedPeriod {
  return { period: { plan, from, to, days: { ...days, of: DAYS } }, used }
}

function linesOf(plan: string, used: UsedMs): readonly LineItem[] {
  return priceMonth([period(planOf(plan), used)], 0).parts.flatMap(({ lines }) => lines)
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0)

test('hours are priced by kind, and a fraction of a millionth is rounded, halves up', ({ expect }) => {
  const amounts = (used: UsedMs): number[] => linesOf('pay-as-you-go', used).map(({ amountMicros }) => amountMicros)
  expect(amounts({ file: 2 * HOUR_MS, stream: HOUR_MS / 2 })).toEqual([225_000, 500_000])
  // 0.25 $/h is 0.0694… millionths a millisecond: 7 ms are 0.486, 8 ms are 0.556.
  expect(amounts({ file: 7, stream: 0 })).toEqual([0])
  expect(amounts({ file: 8, stream: 0 })).toEqual([1])
})

test('what a plan includes is spent on live audio first', ({ expect }) => {
  expect(linesOf('growth', { stream: 200 * HOUR_MS, file: 100 * HOUR_MS })).toEqual([
    { description: 'Growth, a month', amountMicros: 99_000_000 },
    { description: 'Live transcription, included', quantityMs: 200 * HOUR_MS, amountMicros: 0 },
    { description: 'File transcription, included', quantityMs: 50 * HOUR_MS, amountMicros: 0 },
    { description: 'File transcription', quantityMs: 50 * HOUR_MS, perHourMicros: 200_000, amountMicros: 10_000_000 },
  ])
})

test('a part of the month has its days’ share of the fee and of what is included', ({ expect }) => {
  const used = { stream: 90 * HOUR_MS, file: 0 }
  const { parts, subtotalMicros } = priceMonth(
    [period(planOf('pay-as-you-go'), used, { from: 0, to: 20 }), period(planOf('growth'), used, { from: 20, to: 30 })],
    0,
  )
  const live = { description: 'Live transcription' }
  const freeMs = (250 * HOUR_MS) / 3
  expect(parts.map(({ lines }) => lines)).toEqual([
    [{ ...live, quantityMs: 90 * HOUR_MS, perHourMicros: 450_000, amountMicros: 40_500_000 }],
    [
      { description: 'Growth, 10 of 30 days', amountMicros: 33_000_000 },
      { description: 'Live transcription, included', quantityMs: freeMs, amountMicros: 0 },
      { ...live, quantityMs: 90 * HOUR_MS - freeMs, perHourMicros: 360_000, amountMicros: 2_400_000 },
    ],
  ])
  expect(parts.map((part) => part.subtotalMicros)).toEqual([40_500_000, 35_400_000])
  expect(subtotalMicros).toBe(75_900_000)
})

const usedMs = fc.record({ file: fc.integer({ min: 0, max: 1e11 }), stream: fc.integer({ min: 0, max: 1e11 }) })
/** A month in parts, each on some plan, cut anywhere. */
const month = fc
  .uniqueArray(fc.integer({ min: 1, max: DAYS - 1 }), { maxLength: 6 })
  .map((cuts) => [0, DAYS].concat(cuts).toSorted((one, other) => one - other))
  .chain((bounds) =>
    fc.tuple(
      ...bounds
        .slice(1)
        .map((until, index) =>
          fc
            .record({ plan: fc.constantFrom(...PLANS), used: usedMs })
            .map(({ plan, used }) => period(plan, used, { from: bounds[index] ?? 0, to: until })),
        ),
    ),
  )

test('however a month is cut, all that was used is on a line, the sums are exact and credit never pays too much', ({
  expect,
}) => {
  fc.assert(
    fc.property(month, fc.maxSafeInteger(), (periods, balance) => {
      const { parts, subtotalMicros, creditMicros, totalMicros } = priceMonth(periods, balance)
      for (const [index, { lines, subtotalMicros: partMicros }] of parts.entries()) {
        const { file = 0, stream = 0 } = periods[index]?.used ?? {}
        expect(sumOf(lines.map(({ quantityMs = 0 }) => quantityMs))).toBe(file + stream)
        expect(sumOf(lines.map(({ amountMicros }) => amountMicros))).toBe(partMicros)
      }
      expect(sumOf(parts.map((part) => part.subtotalMicros))).toBe(subtotalMicros)
      for (const amount of [subtotalMicros, creditMicros, totalMicros]) {
        expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true)
      }
      expect(creditMicros).toBeLessThanOrEqual(Math.max(balance, 0))
      expect(creditMicros + totalMicros).toBe(subtotalMicros)
    }),
  )
})

test('however a month on one plan is cut, the parts add up to the whole', ({ expect }) => {
  fc.assert(
    fc.property(month, fc.constantFrom(...PLANS), (cut, plan) => {
      // Each part uses more than it includes; otherwise the whole could spend in one part what another one left.
      const periods = cut.map(({ period: { days }, used }) =>
        period(plan, { file: used.file, stream: used.stream + plan.includedSeconds * 1_000 }, days),
      )
      const whole = period(plan, {
        file: sumOf(periods.map(({ used }) => used.file)),
        stream: sumOf(periods.map(({ used }) => used.stream)),
      })
      const [inParts, inOne] = [priceMonth(periods, 0), priceMonth([whole], 0)]
      const total = (parts: typeof inOne.parts, matching: RegExp, member: 'amountMicros' | 'quantityMs'): number =>
        sumOf(
          parts.flatMap(({ lines }) =>
            lines.filter(({ description }) => matching.test(description)).map((line) => line[member] ?? 0),
          ),
        )

      for (const [matching, member] of [
        [/month|days/, 'amountMicros'],
        [/included/, 'quantityMs'],
        [/transcription/, 'quantityMs'],
      ] as const) {
        expect(total(inParts.parts, matching, member)).toBe(total(inOne.parts, matching, member))
      }
      // Every line is rounded once, by half a millionth at most.
      const roundings = inParts.parts.length + 1
      expect(Math.abs(inParts.subtotalMicros - inOne.subtotalMicros)).toBeLessThanOrEqual(roundings)
    }),
  )
})
