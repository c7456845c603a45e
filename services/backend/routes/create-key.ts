import { Type } from 'typebox'
import { insertKey } from '../database/keys.ts'
import { createKey } from '../domain/new-key.ts'
import { type AdminDeps, unknownOrganisation } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import { CreatedKeyShape, DisplayName, fromKey, OrganisationParams } from './shapes.ts'

const schema = {
  params: OrganisationParams,
  body: Type.Object({ name: DisplayName }),
  response: { 201: CreatedKeyShape },
}

export function createKeyRoute(api: SchemaApi, { pool, clock, ids, writeThrough }: AdminDeps): void {
  api.post('/organisations/:id/keys', { schema }, async ({ params: { id: organisation }, body: { name } }, reply) => {
    const { key, hash, prefix } = createKey(ids)
    const row = { id: ids.uuid(), organisation, name, hash, prefix, createdAt: new Date(clock.now()) }
    if (!(await insertKey(pool, row))) throw unknownOrganisation(organisation)
    await writeThrough.copy(organisation)
    reply.code(201)
    return { ...fromKey({ ...row, revokedAt: undefined }), key }
  })
}
