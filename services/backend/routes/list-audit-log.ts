import { type Static, Type } from 'typebox'
import { listDeeds, type StoredDeed } from '../database/audit-log.ts'
import { findOrganisation } from '../database/organisations.ts'
import { authorize } from './authorization.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { Instant, OrganisationParams } from './shapes.ts'

const Deed = Type.Object({
  id: Type.String(),
  at: Instant,
  actor: Type.Object({
    id: Type.String({ description: 'Of a user, or `platform`.' }),
    name: Type.String({ description: 'The email of the user at that time.' }),
  }),
  action: Type.String({ description: 'Such as key.created.' }),
  target: Type.String({ description: 'Id of what it was done to.' }),
  details: Type.Record(Type.String(), Type.Unknown()),
})

const schema = {
  summary: 'Who did what to what, the latest first.',
  params: OrganisationParams,
  querystring: Type.Object({
    ...PageQuery.properties,
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,18}$', description: '`next` of the page before.' })),
  }),
  response: { 200: Type.Object({ entries: Type.Array(Deed), next: Next }) },
}

export function listAuditLogRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/organisations/:id/audit-log', { schema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'read the audit log')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const count = countOf(query)
    const page = await listDeeds(pool, id, { after: query.after, count })
    const entries = page.map(fromDeed)
    return { entries, ...nextOf(entries, count, (last) => last.id) }
  })
}

function fromDeed({ id, at, actor, action, target, details }: StoredDeed): Static<typeof Deed> {
  return { id, at: at.toISOString(), actor, action, target, details }
}
