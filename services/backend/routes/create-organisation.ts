import { type Static, Type } from 'typebox'
import { DEFAULT_MAX_CONNECTIONS } from '../../account/limits.ts'
import { ApiError } from '../../wire/api-error.ts'
import { openOrganisation } from '../open-organisation.ts'
import { createOnce } from './creation.ts'
import type { RouteDeps } from './route.ts'
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
  withoutKey,
} from './shapes.ts'

const Created = Type.Object({ ...OrganisationShape.properties, key: CreatedKeyShape })

const schema = {
  summary: 'Create an organisation with its first key. The user who does becomes its owner.',
  body: Type.Object(
    { name: DisplayName, id: Type.Optional(OrganisationId), limits: Type.Optional(LimitsShape) },
    { additionalProperties: false },
  ),
  response: { 201: Created },
  refusals: { 403: 'A user gave limits, which are set by the platform.', 409: 'The id is taken.' },
}

/** An organisation gets its first key with its creation. */
export function createOrganisationRoute(api: SchemaApi, deps: RouteDeps): void {
  const { clock, ids, writeThrough } = deps
  api.post('/organisations', { schema }, async (request, reply) => {
    const { actor, body } = request
    if (actor.kind === 'user' && body.limits) throw new ApiError(403, 'Limits are set by the platform.')
    const limits = toLimits(body.limits ?? { maxConnections: DEFAULT_MAX_CONNECTIONS })

    const answer = await createOnce<Static<typeof Created>>(deps, {
      request,
      reply,
      scope: actor.id,
      async create(client) {
        const at = new Date(clock.now())
        const opened = await openOrganisation(client, actor, { id: body.id, name: body.name, limits, at, ids })
        const key = { ...fromKey({ ...opened.keyRow, revokedAt: undefined }), key: opened.key }
        return { ...fromOrganisation(opened.organisation), key }
      },
      withoutSecrets: (all) => ({ ...all, key: withoutKey(all.key) }),
    })
    await writeThrough.copy(answer.id)
    return answer
  })
}
