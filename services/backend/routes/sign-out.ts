import { Type } from 'typebox'
import { deleteSession } from '../database/sessions.ts'
import { USERS_ONLY, userOf } from './authentication.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { clearSessionCookie } from './session-cookie.ts'

const schema = {
  summary: 'Sign out: ends the session that is used.',
  response: { 200: Type.Object({ signedOut: Type.Literal(true) }) },
  refusals: { 403: USERS_ONLY },
}

export function signOutRoute(api: SchemaApi, { pool }: RouteDeps): void {
  api.post('/sign-out', { schema }, async (request, reply) => {
    await deleteSession(pool, userOf(request.actor).session)
    clearSessionCookie(reply)
    return { signedOut: true } as const
  })
}
