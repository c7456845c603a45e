import { Type } from 'typebox'
import { listKeys } from '../database/keys.ts'
import { findOrganisation } from '../database/organisations.ts'
import { type AdminDeps, unknownOrganisation } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromKey, KeyShape, OrganisationParams } from './shapes.ts'

const schema = { params: OrganisationParams, response: { 200: Type.Object({ keys: Type.Array(KeyShape) }) } }

export function listKeysRoute(api: SchemaApi, { pool }: AdminDeps): void {
  api.get('/organisations/:id/keys', { schema }, async ({ params: { id } }) => {
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    return { keys: (await listKeys(pool, id)).map(fromKey) }
  })
}
