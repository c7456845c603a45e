import { Type } from 'typebox'
import { findOrganisation } from '../database/organisations.ts'
import { sumUsage } from '../database/usage.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { OrganisationParams } from './shapes.ts'

const DailyUsage = Type.Object({
  day: Type.String({ description: 'YYYY-MM-DD, UTC.' }),
  kind: Type.String({ description: 'file or stream.' }),
  seconds: Type.Number({ description: 'Seconds of audio.' }),
  count: Type.Integer({ description: 'Files, or streams.' }),
})

const schema = { params: OrganisationParams, response: { 200: Type.Object({ usage: Type.Array(DailyUsage) }) } }

/** What the ledger says: by day and kind, the oldest first. */
export function usageRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/organisations/:id/usage', { schema }, async ({ actor, params: { id } }) => {
    await authorize(pool, actor, id, 'read usage')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    return { usage: await sumUsage(pool, id) }
  })
}
