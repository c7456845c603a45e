import { Type } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { revokeKey } from '../database/keys.ts'
import type { AdminDeps } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromKey, KeyShape, OrganisationId } from './shapes.ts'

const schema = {
  params: Type.Object({ id: OrganisationId, keyId: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }) }),
  response: { 200: KeyShape },
}

/** The key stays on record, with the time at which it was revoked. */
export function revokeKeyRoute(api: SchemaApi, { pool, clock, writeThrough }: AdminDeps): void {
  api.delete('/organisations/:id/keys/:keyId', { schema }, async ({ params: { id, keyId } }) => {
    const key = await revokeKey(pool, { organisation: id, id: keyId, at: new Date(clock.now()) })
    if (!key) throw new ApiError(404, `There is no key ${keyId} of an organisation ${id}.`)
    await writeThrough.copy(id)
    return fromKey(key)
  })
}
