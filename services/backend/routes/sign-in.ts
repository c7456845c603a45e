import { Type } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { findUser } from '../database/users.ts'
import { checkPassword } from '../domain/password.ts'
import { openSession } from '../open-session.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { setSessionCookie } from './session-cookie.ts'
import { Email, fromUser, Password, SessionShape, UserShape } from './shapes.ts'
import { countAttempt, TOO_MANY_ATTEMPTS } from './sign-in-window.ts'

const schema = {
  summary: 'Sign in: a session, as a bearer token and as a cookie.',
  body: Type.Object({ email: Email, password: Password }, { additionalProperties: false }),
  response: { 200: Type.Object({ user: UserShape, session: SessionShape }) },
  refusals: { 401: 'Email or password is wrong.', 429: TOO_MANY_ATTEMPTS },
}

export function signInRoute(api: SchemaApi, deps: RouteDeps): void {
  const { pool } = deps
  api.post('/sign-in', { schema }, async (request, reply) => {
    const { body } = request
    const email = body.email.toLowerCase()
    await countAttempt(deps, request, email)
    const user = await findUser(pool, email)
    const isRight = await checkPassword(body.password, user?.passwordHash)
    const session = user && isRight ? await openSession(pool, user, deps) : undefined
    // Which of the two is wrong is nobody's business.
    if (!user || !session) throw new ApiError(401, 'Email or password is wrong.')
    const { token, expiresAt } = session
    setSessionCookie(reply, token, expiresAt)
    return { user: fromUser(user), session: { token, expiresAt: expiresAt.toISOString() } }
  })
}
