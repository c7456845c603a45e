import type { Plan, UsageKind } from './plans.ts'

/** Milliseconds of audio by kind. */
export type UsedMs = Readonly<Record<UsageKind, number>>

export interface LineItem {
  readonly description: string
  /** Milliseconds of audio that are charged; absent for what is no audio. */
  readonly quantityMs?: number
  readonly perHourMicros?: number
  readonly amountMicros: number
}

export interface Invoice {
  readonly lines: readonly LineItem[]
  readonly subtotalMicros: number
  /** How much of the credit it takes. */
  readonly creditMicros: number
  readonly totalMicros: number
}

const DESCRIPTIONS: Readonly<Record<UsageKind, string>> = { stream: 'Live transcription', file: 'File transcription' }
/** What a plan includes is spent on the dearer kind first. */
const KINDS: readonly UsageKind[] = ['stream', 'file']

/** Prices what was used in a month. Each line is rounded to the millionth, halves up; the sums are exact. */
export function priceMonth(plan: Plan, used: UsedMs, balanceMicros: number): Invoice {
  const lines: LineItem[] = []
  if (plan.monthlyMicros > 0) lines.push({ description: `${plan.name}, a month`, amountMicros: plan.monthlyMicros })
  let includedMs = plan.includedSeconds * 1_000
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
  const subtotalMicros = lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0)
  const creditMicros = Math.min(Math.max(balanceMicros, 0), subtotalMicros)
  return { lines, subtotalMicros, creditMicros, totalMicros: subtotalMicros - creditMicros }
}

const HOUR_MS = 3_600_000n

/** The product does not fit a double. */
function price(ms: number, perHourMicros: number): number {
  return Number((BigInt(ms) * BigInt(perHourMicros) + HOUR_MS / 2n) / HOUR_MS)
}

/** The month, in UTC, that holds an instant: its first moment and that of the next. */
export function monthOf(atMs: number): { readonly from: Date; readonly to: Date } {
  const at = new Date(atMs)
  const month = at.getUTCMonth()
  return {
    from: new Date(Date.UTC(at.getUTCFullYear(), month)),
    to: new Date(Date.UTC(at.getUTCFullYear(), month + 1)),
  }
}
