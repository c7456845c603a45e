import { type Static, Type } from 'typebox'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { recordDeed } from '../database/audit-log.ts'
import { deleteMembership, findMember, listMembers, lockRoles, updateRole } from '../database/memberships.ts'
import { findOrganisation } from '../database/organisations.ts'
import type { Actor } from '../domain/actor.ts'
import { losesLastOwner, type Role } from '../domain/roles.ts'
import { authorize, authorizeChange } from './authorization.ts'
import { fromMember, MemberShape } from './member-shapes.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { OrganisationId, OrganisationParams, RoleShape } from './shapes.ts'

const MemberParams = Type.Object({ id: OrganisationId, userId: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }) })

const listSchema = {
  summary: 'The members of an organisation, by email.',
  params: OrganisationParams,
  querystring: PageQuery,
  response: { 200: Type.Object({ members: Type.Array(MemberShape), next: Next }) },
}

const LAST_OWNER = 'It is the last owner.'

const changeSchema = {
  summary: 'Change the role of a member. The last owner stays one.',
  params: MemberParams,
  body: Type.Object({ role: RoleShape }, { additionalProperties: false }),
  response: { 200: MemberShape },
  refusals: { 409: LAST_OWNER },
}

const removeSchema = {
  summary: 'Remove a member, or leave. The last owner stays.',
  params: MemberParams,
  response: { 200: MemberShape },
  refusals: { 409: LAST_OWNER },
}

export function memberRoutes(api: SchemaApi, deps: RouteDeps): void {
  const { pool } = deps
  api.get('/organisations/:id/members', { schema: listSchema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'read members')
    if (!(await findOrganisation(pool, id))) throw unknownOrganisation(id)
    const count = countOf(query)
    const page = await listMembers(pool, id, { after: query.after ?? '', count })
    return { members: page.map(fromMember), ...nextOf(page, count, (last) => last.email) }
  })

  const path = '/organisations/:id/members/:userId'
  api.put(path, { schema: changeSchema }, ({ actor, params: { id, userId }, body: { role } }) =>
    changeMember(deps, actor, { organisation: id, user: userId, to: role }),
  )
  api.delete(path, { schema: removeSchema }, ({ actor, params: { id, userId } }) =>
    changeMember(deps, actor, { organisation: id, user: userId, to: undefined }),
  )
}

interface MemberChange {
  readonly organisation: string
  readonly user: string
  /** undefined: no member any more. */
  readonly to: Role | undefined
}

/** @returns the member as changed, or as it was before it was removed. */
async function changeMember(
  { pool, clock }: RouteDeps,
  actor: Actor,
  { organisation, user, to }: MemberChange,
): Promise<Static<typeof MemberShape>> {
  return transaction(pool, async (client) => {
    await authorize(client, actor, organisation, 'read members')
    const roles = await lockRoles(client, organisation)
    const from = roles.get(user)
    // Whoever leaves needs no leave.
    if (to !== undefined || actor.id !== user) await authorizeChange(client, actor, organisation, { from, to })
    const member = await findMember(client, organisation, user)
    if (!from || !member) throw new ApiError(404, `There is no member ${user} of an organisation ${organisation}.`)
    if (losesLastOwner([...roles.values()], { from, to })) {
      throw new ApiError(409, 'This is the last owner. Make another member an owner first.')
    }
    const deed = { actor, organisation, target: user, at: new Date(clock.now()) }
    if (to === undefined) {
      await deleteMembership(client, organisation, user)
      await recordDeed(client, { ...deed, action: 'member.removed', details: { email: member.email, from } })
      return fromMember(member)
    }
    await updateRole(client, organisation, user, to)
    await recordDeed(client, { ...deed, action: 'member.changed', details: { email: member.email, from, to } })
    return fromMember({ ...member, role: to })
  })
}
