import type { DayRange, PlanPeriod } from './plan-periods.ts'
import type { UsageKind } from './plans.ts'

/** Milliseconds of audio by kind. */
export type UsedMs = Readonly<Record<UsageKind, number>>

export interface LineItem {
  readonly description: string
  /** Milliseconds of audio that are charged; absent for what is no audio. */
  readonly quantityMs?: number
  readonly perHourMicros?: number
  readonly amountMicros: number
}

/** What one part of the month costs, on the plan that was in force then. */
export interface PricedPart extends PlanPeriod {
  readonly lines: readonly LineItem[]
  readonly subtotalMicros: number
}

export interface Invoice {
  readonly parts: readonly PricedPart[]
  readonly subtotalMicros: number
  /** How much of the credit it takes. */
  readonly creditMicros: number
  readonly totalMicros: number
}

/** A part of a month and what was used in it. */
export interface UsedPeriod {
  readonly period: PlanPeriod
  readonly used: UsedMs
}

const DESCRIPTIONS: Readonly<Record<UsageKind, string>> = { stream: 'Live transcription', file: 'File transcription' }
/** What a plan includes is spent on the dearer kind first. */
const KINDS: readonly UsageKind[] = ['stream', 'file']

/** Prices the parts of a month. Each line is rounded to the millionth, halves up; the sums are exact. */
export function priceMonth(periods: readonly UsedPeriod[], balanceMicros: number): Invoice {
  const parts = periods.map(pricePart)
  const subtotalMicros = parts.reduce((sum, part) => sum + part.subtotalMicros, 0)
  const creditMicros = Math.min(Math.max(balanceMicros, 0), subtotalMicros)
  return { parts, subtotalMicros, creditMicros, totalMicros: subtotalMicros - creditMicros }
}

function pricePart({ period, used }: UsedPeriod): PricedPart {
  const { plan, days } = period
  const lines: LineItem[] = []
  const feeMicros = shareOf(plan.monthlyMicros, days)
  if (feeMicros > 0) lines.push({ description: `${plan.name}, ${nameOf(days)}`, amountMicros: feeMicros })
  let includedMs = shareOf(plan.includedSeconds * 1_000, days)
  for (const kind of KINDS) {
    const freeMs = Math.min(includedMs, used[kind])
    includedMs -= freeMs
    const quantityMs = used[kind] - freeMs
    if (freeMs > 0) lines.push({ description: `${DESCRIPTIONS[kind]}, included`, quantityMs: freeMs, amountMicros: 0 })
    if (quantityMs === 0) continue
    const perHourMicros = plan.perHourMicros[kind]
    const amountMicros = price(quantityMs, perHourMicros)
    lines.push({ description: DESCRIPTIONS[kind], quantityMs, perHourMicros, amountMicros })
  }
  return { ...period, lines, subtotalMicros: lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0) }
}

/** The share of some days in a whole month's amount. Adjacent shares add up to that of all their days, to the unit. */
function shareOf(amount: number, { from, to, of }: DayRange): number {
  const until = (day: number): number => Math.round((amount * day) / of)
  return until(to) - until(from)
}

function nameOf({ from, to, of }: DayRange): string {
  return to - from === of ? 'a month' : `${to - from} of ${of} days`
}

const HOUR_MS = 3_600_000n

/** The product does not fit a double. */
function price(ms: number, perHourMicros: number): number {
  return Number((BigInt(ms) * BigInt(perHourMicros) + HOUR_MS / 2n) / HOUR_MS)
}
