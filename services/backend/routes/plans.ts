import { type Static, Type } from 'typebox'
import { transaction } from '../../account/postgres.ts'
import { recordDeed } from '../database/audit-log.ts'
import { readPlan, storePlan } from '../database/billing.ts'
import { findOrganisation, updateLimits } from '../database/organisations.ts'
import { type Plan, planOf, PLANS } from '../domain/plans.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromLimits, LimitsShape, MicroDollars, OrganisationParams } from './shapes.ts'

const PlanIdShape = Type.Union([Type.Literal('free'), Type.Literal('pay-as-you-go'), Type.Literal('growth')])

const PlanShape = Type.Object({
  id: PlanIdShape,
  name: Type.String(),
  monthlyMicros: MicroDollars,
  perHourMicros: Type.Object({ file: MicroDollars, stream: MicroDollars }),
  includedSeconds: Type.Integer({ description: 'Seconds of audio a month that cost nothing more.' }),
  limits: LimitsShape,
})

const listSchema = {
  summary: 'The plans on offer.',
  response: { 200: Type.Object({ plans: Type.Array(PlanShape) }) },
}

export function plansRoute(api: SchemaApi): void {
  api.get('/plans', { schema: listSchema }, () => ({ plans: PLANS.map(fromPlan) }))
}

const readSchema = {
  summary: 'The plan of an organisation.',
  params: OrganisationParams,
  response: { 200: PlanShape },
}

const changeSchema = {
  summary: 'Take another plan, with its limits.',
  params: OrganisationParams,
  body: Type.Object({ plan: PlanIdShape }, { additionalProperties: false }),
  response: { 200: PlanShape },
}

export function planRoutes(api: SchemaApi, { pool, clock, writeThrough }: RouteDeps): void {
  api.get('/organisations/:id/plan', { schema: readSchema }, async ({ actor, params: { id } }) => {
    await authorize(pool, actor, id, 'read billing')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    return fromPlan(await readPlan(pool, id))
  })

  api.put('/organisations/:id/plan', { schema: changeSchema }, async ({ actor, params: { id }, body }) => {
    const plan = planOf(body.plan)
    await transaction(pool, async (client) => {
      await authorize(client, actor, id, 'change the plan')
      const at = new Date(clock.now())
      if (!(await updateLimits(client, id, plan.limits))) throw unknownOrganisation(id)
      const details = { from: (await readPlan(client, id)).id, to: plan.id }
      await storePlan(client, id, plan, at)
      await recordDeed(client, { actor, organisation: id, action: 'plan.changed', target: id, details, at })
    })
    await writeThrough.copy(id)
    return fromPlan(plan)
  })
}

function fromPlan({ id, name, monthlyMicros, perHourMicros, includedSeconds, limits }: Plan): Static<typeof PlanShape> {
  return { id, name, monthlyMicros, perHourMicros, includedSeconds, limits: fromLimits(limits) }
}
