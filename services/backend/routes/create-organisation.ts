import { Type } from 'typebox'
import { DEFAULT_MAX_CONNECTIONS } from '../../account/limits.ts'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { insertKey } from '../database/keys.ts'
import { insertOrganisation } from '../database/organisations.ts'
import { createKey } from '../domain/new-key.ts'
import type { AdminDeps } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import {
  CreatedKeyShape,
  DisplayName,
  fromKey,
  fromOrganisation,
  LimitsShape,
  OrganisationId,
  OrganisationShape,
  toLimits,
} from './shapes.ts'

const schema = {
  body: Type.Object({
    name: DisplayName,
    id: Type.Optional(OrganisationId),
    limits: Type.Optional(LimitsShape),
  }),
  response: { 201: Type.Object({ ...OrganisationShape.properties, key: CreatedKeyShape }) },
}

/** An organisation gets its first key with its creation. */
export function createOrganisationRoute(api: SchemaApi, { pool, clock, ids, writeThrough }: AdminDeps): void {
  api.post('/organisations', { schema }, async ({ body }, reply) => {
    const createdAt = new Date(clock.now())
    const limits = body.limits ?? { maxConnections: DEFAULT_MAX_CONNECTIONS }
    const organisation = { id: body.id ?? ids.uuid(), name: body.name, createdAt, limits: toLimits(limits) }
    const { key, hash, prefix } = createKey(ids)
    const row = { id: ids.uuid(), organisation: organisation.id, name: body.name, hash, prefix, createdAt }

    await transaction(pool, async (client) => {
      const isNew = await insertOrganisation(client, organisation)
      if (!isNew) throw new ApiError(409, `There is an organisation ${organisation.id} already.`)
      await insertKey(client, row)
    })
    await writeThrough.copy(organisation.id)
    reply.code(201)
    return { ...fromOrganisation(organisation), key: { ...fromKey({ ...row, revokedAt: undefined }), key } }
  })
}
