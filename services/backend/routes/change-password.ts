import { Type } from 'typebox'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { findUser, replacePassword } from '../database/users.ts'
import { checkPassword, hashPassword } from '../domain/password.ts'
import { userOf } from './authentication.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { Password } from './shapes.ts'
import { countAttempt, TOO_MANY_ATTEMPTS } from './sign-in-window.ts'

const schema = {
  summary: 'Change the password, which ends all other sessions.',
  body: Type.Object({ current: Password, next: Password }, { additionalProperties: false }),
  response: { 200: Type.Object({ changed: Type.Literal(true) }) },
  refusals: {
    403: 'The current password is wrong, or the admin token was used, which belongs to no user.',
    409: 'Another request has just changed the password.',
    429: TOO_MANY_ATTEMPTS,
  },
}

export function changePasswordRoute(api: SchemaApi, deps: RouteDeps): void {
  const { pool, ids } = deps
  api.put('/me/password', { schema }, async ({ body: { current, next }, actor: sender, headers, ip }) => {
    const actor = userOf(sender)
    await countAttempt(deps, { headers, ip }, actor.name)
    const user = await findUser(pool, actor.name)
    if (!user || !(await checkPassword(current, user.passwordHash))) {
      throw new ApiError(403, 'The current password is wrong.')
    }
    const change = { from: user.passwordHash, to: await hashPassword(next, ids) }
    const isChanged = await transaction(pool, (client) => replacePassword(client, actor, change))
    if (!isChanged) throw new ApiError(409, 'The password has just been changed by another request.')
    return { changed: true } as const
  })
}
