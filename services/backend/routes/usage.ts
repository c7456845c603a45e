import { Type } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { findOrganisation } from '../database/organisations.ts'
import { sumUsage } from '../database/usage.ts'
import { authorize } from './authorization.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { OrganisationParams } from './shapes.ts'

const Day = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  description: 'YYYY-MM-DD, UTC. `to` does not count.',
})

const Usage = Type.Object({
  day: Type.Optional(Day),
  key: Type.Optional(
    Type.Object({ id: Type.String(), name: Type.String() }, { description: 'Absent for a key that is gone.' }),
  ),
  endpoint: Type.Optional(Type.String({ description: 'Where files or streams are sent to.' })),
  kind: Type.String({ description: 'file or stream.' }),
  seconds: Type.Number({ description: 'Seconds of audio.' }),
  count: Type.Integer({ description: 'Files, or streams.' }),
})

const schema = {
  summary: 'What the ledger says: by day, key or endpoint, and kind.',
  params: OrganisationParams,
  querystring: Type.Object({
    by: Type.Optional(Type.Union([Type.Literal('day'), Type.Literal('key'), Type.Literal('endpoint')])),
    from: Type.Optional(Day),
    to: Type.Optional(Day),
  }),
  response: { 200: Type.Object({ usage: Type.Array(Usage) }) },
}

export function usageRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/organisations/:id/usage', { schema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'read usage')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const span = { from: toInstant(query.from), to: toInstant(query.to) }
    return { usage: await sumUsage(pool, id, { by: query.by ?? 'day', ...span }) }
  })
}

function toInstant(day: string | undefined): Date | undefined {
  if (day === undefined) return undefined
  const at = new Date(Date.parse(`${day}T00:00:00Z`))
  // The thirtieth of February becomes a day of March.
  if (Number.isNaN(at.getTime()) || !at.toISOString().startsWith(day)) throw new ApiError(400, `${day} is no day.`)
  return at
}
