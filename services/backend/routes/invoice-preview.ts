import { type Static, Type } from 'typebox'
import { readBalance, readPlanChanges, readUsedMs } from '../database/billing.ts'
import { findOrganisation } from '../database/organisations.ts'
import { type PricedPart, priceMonth } from '../domain/invoice.ts'
import { monthOf, periodsOf } from '../domain/plan-periods.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { Instant, MicroDollars, OrganisationParams } from './shapes.ts'

const Part = Type.Object({
  plan: Type.String(),
  from: Instant,
  to: Instant,
  days: Type.Integer({ description: 'Days whose share of the monthly fee and of the included audio it has.' }),
  lines: Type.Array(
    Type.Object({
      description: Type.String(),
      quantityMs: Type.Optional(Type.Integer({ description: 'Milliseconds of audio.' })),
      perHourMicros: Type.Optional(MicroDollars),
      amountMicros: MicroDollars,
    }),
  ),
  subtotalMicros: MicroDollars,
})

const schema = {
  summary: 'What the running month, in UTC, costs so far, each part of it on the plan then in force.',
  params: OrganisationParams,
  response: {
    200: Type.Object({
      from: Instant,
      to: Instant,
      parts: Type.Array(Part, { description: 'One for each plan in turn; the last goes on to the end of the month.' }),
      subtotalMicros: MicroDollars,
      creditMicros: MicroDollars,
      totalMicros: MicroDollars,
    }),
  },
}

export function invoicePreviewRoute(api: SchemaApi, { pool, clock }: RouteDeps): void {
  api.get('/organisations/:id/invoice-preview', { schema }, async ({ actor, params: { id } }) => {
    await authorize(pool, actor, id, 'read billing')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const month = monthOf(clock.now())
    const periods = periodsOf(month, await readPlanChanges(pool, id, month.to))
    const [used, balance] = await Promise.all([readUsedMs(pool, id, periods), readBalance(pool, id)])
    const usedIn = periods.map((period, index) => ({ period, used: used[index] ?? NOTHING }))
    const { parts, ...sums } = priceMonth(usedIn, balance)
    return { from: month.from.toISOString(), to: month.to.toISOString(), parts: parts.map(fromPart), ...sums }
  })
}

const NOTHING = { file: 0, stream: 0 }

function fromPart({ plan, from, to, days, lines, subtotalMicros }: PricedPart): Static<typeof Part> {
  return {
    plan: plan.id,
    from: from.toISOString(),
    to: to.toISOString(),
    days: days.to - days.from,
    lines: [...lines],
    subtotalMicros,
  }
}
