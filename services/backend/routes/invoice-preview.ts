import { Type } from 'typebox'
import { readBalance, readPlan, readUsedMs } from '../database/billing.ts'
import { findOrganisation } from '../database/organisations.ts'
import { monthOf, priceMonth } from '../domain/invoice.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { Instant, MicroDollars, OrganisationParams } from './shapes.ts'

const schema = {
  summary: 'What the running month, in UTC, costs so far on the plan in force.',
  params: OrganisationParams,
  response: {
    200: Type.Object({
      plan: Type.String(),
      from: Instant,
      to: Instant,
      lines: Type.Array(
        Type.Object({
          description: Type.String(),
          quantityMs: Type.Optional(Type.Integer({ description: 'Milliseconds of audio.' })),
          perHourMicros: Type.Optional(MicroDollars),
          amountMicros: MicroDollars,
        }),
      ),
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
    const [plan, used, balance] = await Promise.all([
      readPlan(pool, id),
      readUsedMs(pool, id, month),
      readBalance(pool, id),
    ])
    const { lines, ...sums } = priceMonth(plan, used, balance)
    return {
      plan: plan.id,
      from: month.from.toISOString(),
      to: month.to.toISOString(),
      lines: [...lines],
      ...sums,
    }
  })
}
