import { transaction } from '../../account/postgres.ts'
import { recordDeed } from '../database/audit-log.ts'
import { findOrganisation, updateLimits } from '../database/organisations.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromLimits, LimitsShape, OrganisationParams, toLimits } from './shapes.ts'

const readSchema = {
  summary: 'What an organisation may do at once.',
  params: OrganisationParams,
  response: { 200: LimitsShape },
}

const setSchema = {
  summary: 'Set the limits, which is for the platform.',
  params: OrganisationParams,
  body: LimitsShape,
  response: { 200: LimitsShape },
}

export function limitsRoutes(api: SchemaApi, { pool, clock, writeThrough }: RouteDeps): void {
  api.get('/organisations/:id/limits', { schema: readSchema }, async ({ actor, params: { id } }) => {
    await authorize(pool, actor, id, 'read the organisation')
    const organisation = await findOrganisation(pool, id)
    if (!organisation) throw unknownOrganisation(id)
    return fromLimits(organisation.limits)
  })

  api.put('/organisations/:id/limits', { schema: setSchema }, async ({ actor, params: { id }, body }) => {
    const limits = toLimits(body)
    await transaction(pool, async (client) => {
      await authorize(client, actor, id, 'change limits')
      if (!(await updateLimits(client, id, limits))) throw unknownOrganisation(id)
      const at = new Date(clock.now())
      const details = { ...fromLimits(limits) }
      await recordDeed(client, { actor, organisation: id, action: 'limits.changed', target: id, details, at })
    })
    await writeThrough.copy(id)
    return fromLimits(limits)
  })
}
