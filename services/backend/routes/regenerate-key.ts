import type { Static } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { recordDeed } from '../database/audit-log.ts'
import { findKeyInForce, insertKey, revokeKey } from '../database/keys.ts'
import { createKey } from '../domain/new-key.ts'
import { authorize } from './authorization.ts'
import { createOnce } from './creation.ts'
import { KeyParams } from './revoke-key.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { CreatedKeyShape, fromKey, withoutKey } from './shapes.ts'

const schema = {
  summary: 'Replace a key by a new one of the same name, which is shown once. The old one stops working at once.',
  params: KeyParams,
  response: { 201: CreatedKeyShape },
}

export function regenerateKeyRoute(api: SchemaApi, deps: RouteDeps): void {
  const { clock, ids, writeThrough } = deps
  api.post('/organisations/:id/keys/:keyId/regenerate', { schema }, async (request, reply) => {
    const { actor, params } = request
    const { id: organisation, keyId } = params
    const answer = await createOnce<Static<typeof CreatedKeyShape>>(deps, {
      request,
      reply,
      scope: actor.id,
      async create(client) {
        await authorize(client, actor, organisation, 'create keys')
        await authorize(client, actor, organisation, 'revoke keys')
        const at = new Date(clock.now())
        const old = await findKeyInForce(client, organisation, keyId)
        if (!old) throw new ApiError(404, `There is no key ${keyId} in force of an organisation ${organisation}.`)
        await revokeKey(client, { organisation, id: keyId, at })
        const { key, hash, prefix } = createKey(ids)
        const row = { id: ids.uuid(), organisation, name: old.name, hash, prefix, createdAt: at }
        await insertKey(client, row)
        const details = { name: old.name, replaced: keyId }
        await recordDeed(client, { actor, organisation, action: 'key.regenerated', target: row.id, details, at })
        return { ...fromKey({ ...row, revokedAt: undefined }), key }
      },
      withoutSecrets: withoutKey,
    })
    await writeThrough.copy(organisation)
    return answer
  })
}
