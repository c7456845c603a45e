import { Type } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { hasKey, listKeys } from '../database/keys.ts'
import { findOrganisation } from '../database/organisations.ts'
import { authorize } from './authorization.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromKey, KeyShape, OrganisationParams } from './shapes.ts'

/** More than elsewhere: the command line shows one page. */
const COUNT = 1_000

const schema = {
  summary: 'The keys of an organisation, the oldest first, without their secrets.',
  params: OrganisationParams,
  querystring: PageQuery,
  response: { 200: Type.Object({ keys: Type.Array(KeyShape), next: Next }) },
}

export function listKeysRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/organisations/:id/keys', { schema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'read keys')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const count = countOf(query, COUNT)
    const page = await listKeys(pool, id, { after: query.after, count })
    // An empty page would look like the end of the list.
    if (query.after !== undefined && page.length === 0 && !(await hasKey(pool, id, query.after))) {
      throw new ApiError(400, `There is no key ${query.after} to go on after.`)
    }
    return { keys: page.map(fromKey), ...nextOf(page, count, (last) => last.id) }
  })
}
