import { Type } from 'typebox'
import { listMemberships } from '../database/memberships.ts'
import { USERS_ONLY, userOf } from './authentication.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { fromUser, RoleShape, UserShape } from './shapes.ts'

const schema = {
  summary: 'Who is signed in, and the organisations they are a member of.',
  querystring: PageQuery,
  response: {
    200: Type.Object({
      user: UserShape,
      organisations: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), role: RoleShape })),
      next: Next,
    }),
  },
  refusals: { 403: USERS_ONLY },
}

export function meRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.get('/me', { schema }, async ({ actor, query }) => {
    const { id, name, createdAt } = userOf(actor)
    const count = countOf(query)
    const page = await listMemberships(pool, id, { after: query.after ?? '', count })
    return {
      user: fromUser({ id, email: name, createdAt }),
      organisations: page,
      ...nextOf(page, count, (last) => last.id),
    }
  })
}
