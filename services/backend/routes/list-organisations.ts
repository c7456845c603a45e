import { Type } from 'typebox'
import { findOrganisation, listOrganisations } from '../database/organisations.ts'
import { authorize } from './authorization.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromOrganisation, OrganisationId, OrganisationParams, OrganisationShape } from './shapes.ts'

const listSchema = {
  summary: 'The organisations of the user who asks, or all of them for the platform.',
  querystring: Type.Object({ ...PageQuery.properties, after: Type.Optional(OrganisationId) }),
  response: { 200: Type.Object({ organisations: Type.Array(OrganisationShape), next: Next }) },
}

const oneSchema = {
  summary: 'One organisation with its limits.',
  params: OrganisationParams,
  response: { 200: OrganisationShape },
}

export function listOrganisationsRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/organisations', { schema: listSchema }, async ({ query, actor }) => {
    const count = countOf(query)
    const user = actor.kind === 'user' ? actor.id : undefined
    const page = await listOrganisations(pool, { after: query.after ?? '', count, user })
    return { organisations: page.map(fromOrganisation), ...nextOf(page, count, (last) => last.id) }
  })

  api.get('/organisations/:id', { schema: oneSchema }, async ({ actor, params: { id } }) => {
    await authorize(pool, actor, id, 'read the organisation')
    const organisation = await findOrganisation(pool, id)
    if (!organisation) throw unknownOrganisation(id)
    return fromOrganisation(organisation)
  })
}
