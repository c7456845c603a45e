import { Type } from 'typebox'
import { listOrganisations } from '../database/organisations.ts'
import type { AdminDeps } from './admin-route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromOrganisation, OrganisationId, OrganisationShape } from './shapes.ts'

const PAGE = 100

const schema = {
  querystring: Type.Object({ after: Type.Optional(OrganisationId) }),
  response: {
    200: Type.Object({
      organisations: Type.Array(OrganisationShape),
      next: Type.Optional(Type.String({ description: 'Ask with `after` set to this for the next page.' })),
    }),
  },
}

export function listOrganisationsRoute(api: SchemaApi, { pool }: AdminDeps): void {
  api.get('/organisations', { schema }, async ({ query }) => {
    const page = await listOrganisations(pool, { after: query.after ?? '', count: PAGE })
    const next = page.length === PAGE ? page.at(-1)?.id : undefined
    return { organisations: page.map(fromOrganisation), ...(next === undefined ? {} : { next }) }
  })
}
