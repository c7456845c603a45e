import type { UsageEvent } from '../../account/metering.ts'
import type { Limits } from '../../account/limits.ts'

export type UsageKind = UsageEvent['kind']
export type PlanId = 'free' | 'pay-as-you-go' | 'growth'

/** Prices are in millionths of a dollar. */
export interface Plan {
  readonly id: PlanId
  readonly name: string
  readonly monthlyMicros: number
  readonly perHourMicros: Readonly<Record<UsageKind, number>>
  /** Seconds of audio a month that cost nothing more. */
  readonly includedSeconds: number
  /** What an organisation gets when it takes the plan. */
  readonly limits: Limits
}

const DOLLAR = 1_000_000
const HOUR_SECONDS = 3_600

export const PLANS: readonly Plan[] = [
  {
    id: 'free',
    name: 'Free',
    monthlyMicros: 0,
    perHourMicros: { file: 0, stream: 0 },
    includedSeconds: 10 * HOUR_SECONDS,
    limits: { maxConnections: 10, requestsPerMinute: 60 },
  },
  {
    id: 'pay-as-you-go',
    name: 'Pay as you go',
    monthlyMicros: 0,
    perHourMicros: { file: 0.25 * DOLLAR, stream: 0.45 * DOLLAR },
    includedSeconds: 0,
    limits: { maxConnections: 50, requestsPerMinute: 600 },
  },
  {
    id: 'growth',
    name: 'Growth',
    monthlyMicros: 99 * DOLLAR,
    perHourMicros: { file: 0.2 * DOLLAR, stream: 0.36 * DOLLAR },
    includedSeconds: 250 * HOUR_SECONDS,
    limits: { maxConnections: 200, requestsPerMinute: undefined },
  },
]

/** The plan of an organisation that never chose one. */
export const DEFAULT_PLAN: PlanId = 'free'

/** @throws Error for a plan that is offered no more. */
export function planOf(id: string): Plan {
  const plan = PLANS.find((each) => each.id === id)
  if (!plan) throw new Error(`There is no plan ${id}.`)
  return plan
}
