import type { ClientBase, Pool } from 'pg'
import { ApiError } from '../../wire/api-error.ts'
import { findRole } from '../database/memberships.ts'
import type { Actor } from '../domain/actor.ts'
import { allows, mayChange, type Permission, type RoleChange } from '../domain/roles.ts'
import { unknownOrganisation } from './route.ts'

/**
 * @throws ApiError 404 for organisations of others, of which nobody shall know whether they exist; 403 for what the
 *   role of the member does not allow.
 */
export async function authorize(
  client: Pick<ClientBase, 'query'> | Pick<Pool, 'query'>,
  actor: Actor,
  organisation: string,
  permission: Permission,
): Promise<void> {
  if (actor.kind === 'platform') return
  const role = await findRole(client, organisation, actor.id)
  if (role === undefined) throw unknownOrganisation(organisation)
  if (!allows(role, permission)) throw forbidden(role, permission)
}

/** Whether the actor may make this change to a member. @throws ApiError as {@link authorize}. */
export async function authorizeChange(
  client: Pick<ClientBase, 'query'>,
  actor: Actor,
  organisation: string,
  change: RoleChange,
): Promise<void> {
  await authorize(client, actor, organisation, 'change members')
  if (actor.kind === 'platform') return
  const role = await findRole(client, organisation, actor.id)
  if (!role || !mayChange(role, change)) throw forbidden(role ?? 'none', 'make or unmake owners')
}

function forbidden(role: string, what: string): ApiError {
  return new ApiError(403, `The role ${role} does not allow to ${what}.`)
}
