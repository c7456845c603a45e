import { type Static, Type } from 'typebox'
import { recordDeed } from '../database/audit-log.ts'
import { type CreditMovement, insertCreditMovement, listCreditMovements, readBalance } from '../database/billing.ts'
import { findOrganisation } from '../database/organisations.ts'
import { authorize } from './authorization.ts'
import { createOnce } from './creation.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { DisplayName, Instant, MicroDollars, OrganisationParams } from './shapes.ts'

/** A million dollars: sums stay exact, and a slip of the finger is noticed. */
const MAX_MICROS = 1e12

const MovementShape = Type.Object({
  id: Type.String(),
  amountMicros: MicroDollars,
  reason: Type.String(),
  at: Instant,
})

const readSchema = {
  summary: 'The credit of an organisation, and how it came and went, the latest first.',
  params: OrganisationParams,
  querystring: Type.Object({
    ...PageQuery.properties,
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,18}$', description: '`next` of the page before.' })),
  }),
  response: {
    200: Type.Object({ balanceMicros: MicroDollars, movements: Type.Array(MovementShape), next: Next }),
  },
}

const grantSchema = {
  summary: 'Give credit, or take it back with a negative amount, which is for the platform.',
  params: OrganisationParams,
  body: Type.Object(
    {
      amountMicros: Type.Union([
        Type.Integer({ minimum: 1, maximum: MAX_MICROS }),
        Type.Integer({ minimum: -MAX_MICROS, maximum: -1 }),
      ]),
      reason: DisplayName,
    },
    { additionalProperties: false },
  ),
  response: { 201: MovementShape },
}

export function creditRoutes(api: SchemaApi, deps: RouteDeps): void {
  const { pool, clock } = deps
  api.get('/organisations/:id/credit', { schema: readSchema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'read billing')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const count = countOf(query)
    const page = await listCreditMovements(pool, id, { after: query.after, count })
    const balanceMicros = await readBalance(pool, id)
    return { balanceMicros, movements: page.map(fromMovement), ...nextOf(page, count, (last) => last.id) }
  })

  api.post('/organisations/:id/credit', { schema: grantSchema }, async (request, reply) => {
    const { actor, params, body } = request
    const organisation = params.id
    return createOnce<Static<typeof MovementShape>>(deps, {
      request,
      reply,
      scope: actor.id,
      async create(client) {
        await authorize(client, actor, organisation, 'grant credit')
        if (!(await findOrganisation(client, organisation))) throw unknownOrganisation(organisation)
        const at = new Date(clock.now())
        const movement = await insertCreditMovement(client, organisation, { ...body, at })
        const deed = { actor, organisation, target: movement.id, details: { ...body }, at }
        await recordDeed(client, { ...deed, action: 'credit.granted' })
        return fromMovement(movement)
      },
      withoutSecrets: (movement) => movement,
    })
  })
}

function fromMovement({ id, amountMicros, reason, at }: CreditMovement): Static<typeof MovementShape> {
  return { id, amountMicros, reason, at: at.toISOString() }
}
