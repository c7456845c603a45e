import { type Static, Type } from 'typebox'
import { DEFAULT_MAX_CONNECTIONS } from '../../account/limits.ts'
import { ApiError } from '../../wire/api-error.ts'
import { insertUser } from '../database/users.ts'
import { hashPassword } from '../domain/password.ts'
import { openOrganisation } from '../open-organisation.ts'
import { openSession } from '../open-session.ts'
import { createOnce } from './creation.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { setSessionCookie } from './session-cookie.ts'
import {
  CreatedKeyShape,
  DisplayName,
  Email,
  fromKey,
  fromOrganisation,
  fromUser,
  OrganisationShape,
  Password,
  SessionShape,
  UserShape,
  withoutKey,
} from './shapes.ts'
import { countAttempt, TOO_MANY_ATTEMPTS } from './sign-in-window.ts'

const SignedUp = Type.Object({
  user: UserShape,
  organisation: OrganisationShape,
  key: CreatedKeyShape,
  session: SessionShape,
})

const schema = {
  summary: 'Sign up: a user, who owns a new organisation with its first key.',
  body: Type.Object({ email: Email, password: Password, organisation: DisplayName }, { additionalProperties: false }),
  response: { 201: SignedUp },
  refusals: { 409: 'Somebody has signed up with this email already.', 429: TOO_MANY_ATTEMPTS },
}

export function signUpRoute(api: SchemaApi, deps: RouteDeps): void {
  const { clock, ids, writeThrough } = deps
  api.post('/sign-up', { schema }, async (request, reply) => {
    const { body } = request
    const email = body.email.toLowerCase()
    await countAttempt(deps, request, email)
    const passwordHash = await hashPassword(body.password, ids)

    const answer = await createOnce<Static<typeof SignedUp>>(deps, {
      request,
      reply,
      scope: `sign-up:${email}`,
      async create(client) {
        const at = new Date(clock.now())
        const user = { id: ids.uuid(), email, passwordHash, createdAt: at }
        if (!(await insertUser(client, user)))
          throw new ApiError(409, 'Somebody has signed up with this email already.')
        const actor = { kind: 'user', id: user.id, name: email } as const
        const limits = { maxConnections: DEFAULT_MAX_CONNECTIONS, requestsPerMinute: undefined }
        const opened = await openOrganisation(client, actor, {
          id: undefined,
          name: body.organisation,
          limits,
          at,
          ids,
        })
        const session = await openSession(client, user, { clock, ids })
        if (!session) throw new Error('A user who was just made has another password.')
        return {
          user: fromUser(user),
          organisation: fromOrganisation(opened.organisation),
          key: { ...fromKey({ ...opened.keyRow, revokedAt: undefined }), key: opened.key },
          session: { token: session.token, expiresAt: session.expiresAt.toISOString() },
        }
      },
      withoutSecrets: (all) => ({ ...all, key: withoutKey(all.key), session: { expiresAt: all.session.expiresAt } }),
    })
    const { token, expiresAt } = answer.session
    if (token !== undefined) setSessionCookie(reply, token, new Date(expiresAt))
    await writeThrough.copy(answer.organisation.id)
    return answer
  })
}
