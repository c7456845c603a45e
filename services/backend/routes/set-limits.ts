import { updateLimits } from '../database/organisations.ts'
import { type AdminDeps, unknownOrganisation } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromLimits, LimitsShape, OrganisationParams, toLimits } from './shapes.ts'

const schema = { params: OrganisationParams, body: LimitsShape, response: { 200: LimitsShape } }

export function setLimitsRoute(api: SchemaApi, { pool, writeThrough }: AdminDeps): void {
  api.put('/organisations/:id/limits', { schema }, async ({ params: { id }, body }) => {
    const limits = toLimits(body)
    if (!(await updateLimits(pool, id, limits))) throw unknownOrganisation(id)
    await writeThrough.copy(id)
    return fromLimits(limits)
  })
}
