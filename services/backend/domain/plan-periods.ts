import { DEFAULT_PLAN, type Plan, planOf } from './plans.ts'

/** A plan that was taken, and when. */
export interface PlanChange {
  readonly plan: Plan
  readonly since: Date
}

export interface Span {
  readonly from: Date
  /** The first instant that does not count. */
  readonly to: Date
}

/** A part of a month on one plan. */
export interface PlanPeriod extends Span {
  readonly plan: Plan
  /** The days that end with it. */
  readonly days: DayRange
}

/** Days of a month, counted from 0; `to` does not count. */
export interface DayRange {
  readonly from: number
  readonly to: number
  /** How many the month has. */
  readonly of: number
}

const DAY_MS = 86_400_000

/**
 * Cuts a month where the plan changed: the parts follow each other without a gap and are on different plans. A plan lasts
 * until another one is taken; before the first the default one was in force. Usage belongs to the part that holds its
 * instant; a day's share of what is paid by the month belongs to the plan with which the day ends.
 */
export function periodsOf(month: Span, changes: readonly PlanChange[]): PlanPeriod[] {
  const sorted = changes.toSorted((one, other) => one.since.getTime() - other.since.getTime())
  const before = sorted.findLast(({ since }) => since <= month.from)
  const parts = [{ plan: before?.plan ?? planOf(DEFAULT_PLAN), from: month.from }]
  for (const { plan, since } of sorted) {
    if (since <= month.from || since >= month.to || plan.id === parts.at(-1)?.plan.id) continue
    parts.push({ plan, from: since })
  }
  const dayOf = (at: Date): number => Math.floor((at.getTime() - month.from.getTime()) / DAY_MS)
  return parts.map(({ plan, from }, index) => {
    const to = parts[index + 1]?.from ?? month.to
    return { plan, from, to, days: { from: dayOf(from), to: dayOf(to), of: dayOf(month.to) } }
  })
}

/** The month, in UTC, that holds an instant: its first moment and that of the next. */
export function monthOf(atMs: number): Span {
  const at = new Date(atMs)
  const month = at.getUTCMonth()
  return {
    from: new Date(Date.UTC(at.getUTCFullYear(), month)),
    to: new Date(Date.UTC(at.getUTCFullYear(), month + 1)),
  }
}
