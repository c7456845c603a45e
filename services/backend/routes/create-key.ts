import { type Static, Type } from 'typebox'
import { recordDeed } from '../database/audit-log.ts'
import { insertKey } from '../database/keys.ts'
import { createKey } from '../domain/new-key.ts'
import { authorize } from './authorization.ts'
import { createOnce } from './creation.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { CreatedKeyShape, DisplayName, fromKey, OrganisationParams, withoutKey } from './shapes.ts'

const schema = {
  summary: 'Create a key, which is shown once.',
  params: OrganisationParams,
  body: Type.Object({ name: DisplayName }, { additionalProperties: false }),
  response: { 201: CreatedKeyShape },
}

export function createKeyRoute(api: SchemaApi, deps: RouteDeps): void {
  const { clock, ids, writeThrough } = deps
  api.post('/organisations/:id/keys', { schema }, async (request, reply) => {
    const { actor, params, body } = request
    const { id: organisation } = params
    const answer = await createOnce<Static<typeof CreatedKeyShape>>(deps, {
      request,
      reply,
      scope: actor.id,
      async create(client) {
        await authorize(client, actor, organisation, 'create keys')
        const { key, hash, prefix } = createKey(ids)
        const at = new Date(clock.now())
        const row = { id: ids.uuid(), organisation, name: body.name, hash, prefix, createdAt: at }
        if (!(await insertKey(client, row))) throw unknownOrganisation(organisation)
        const details = { name: body.name }
        await recordDeed(client, { actor, organisation, action: 'key.created', target: row.id, details, at })
        return { ...fromKey({ ...row, revokedAt: undefined }), key }
      },
      withoutSecrets: withoutKey,
    })
    await writeThrough.copy(organisation)
    return answer
  })
}
