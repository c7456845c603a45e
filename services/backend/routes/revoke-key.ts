import { Type } from 'typebox'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { recordDeed } from '../database/audit-log.ts'
import { findKeyInForce, revokeKey } from '../database/keys.ts'
import { authorize } from './authorization.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromKey, KeyShape, OrganisationId } from './shapes.ts'

export const KeyParams = Type.Object({ id: OrganisationId, keyId: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }) })

const schema = { summary: 'Revoke a key.', params: KeyParams, response: { 200: KeyShape } }

/** The key stays on record, with the time at which it was revoked. */
export function revokeKeyRoute(api: SchemaApi, { pool, clock, writeThrough }: RouteDeps): void {
  api.delete('/organisations/:id/keys/:keyId', { schema }, async ({ actor, params: { id, keyId } }) => {
    const key = await transaction(pool, async (client) => {
      await authorize(client, actor, id, 'revoke keys')
      const at = new Date(clock.now())
      const inForce = await findKeyInForce(client, id, keyId)
      const revoked = await revokeKey(client, { organisation: id, id: keyId, at })
      // Revoking twice does nothing the second time.
      if (inForce) {
        const details = { name: inForce.name }
        await recordDeed(client, { actor, organisation: id, action: 'key.revoked', target: keyId, details, at })
      }
      return revoked
    })
    if (!key) throw new ApiError(404, `There is no key ${keyId} of an organisation ${id}.`)
    await writeThrough.copy(id)
    return fromKey(key)
  })
}
