import { type Static, Type } from 'typebox'
import { ApiError } from '../../wire/api-error.ts'
import { recordDeed } from '../database/audit-log.ts'
import { insertInvitation } from '../database/invitations.ts'
import { insertMembership } from '../database/memberships.ts'
import { findOrganisation } from '../database/organisations.ts'
import { findUser } from '../database/users.ts'
import { createToken } from '../domain/token.ts'
import { authorizeChange } from './authorization.ts'
import { createOnce } from './creation.ts'
import { fromInvitation, fromMember, InvitationShape, MemberShape } from './member-shapes.ts'
import { type RouteDeps, unknownOrganisation } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { Email, OrganisationParams, RoleShape } from './shapes.ts'

const INVITATION_MS = 7 * 24 * 60 * 60 * 1_000

const Added = Type.Object({
  member: Type.Optional(MemberShape),
  invitation: Type.Optional(InvitationShape),
})

const schema = {
  summary: 'Add a user by email. Who has not signed up yet is invited by a token that is shown once.',
  params: OrganisationParams,
  body: Type.Object({ email: Email, role: RoleShape }, { additionalProperties: false }),
  response: { 201: Added },
  refusals: { 409: 'The user is a member already.' },
}

export function addMemberRoute(api: SchemaApi, deps: RouteDeps): void {
  const { clock, ids } = deps
  api.post('/organisations/:id/members', { schema }, async (request, reply) => {
    const { actor, params, body } = request
    const organisation = params.id
    const email = body.email.toLowerCase()
    const { role } = body
    return createOnce<Static<typeof Added>>(deps, {
      request,
      reply,
      scope: actor.id,
      async create(client) {
        await authorizeChange(client, actor, organisation, { from: undefined, to: role })
        if (!(await findOrganisation(client, organisation))) throw unknownOrganisation(organisation)
        const createdAt = new Date(clock.now())
        const deed = { actor, organisation, details: { email, role }, at: createdAt }
        const user = await findUser(client, email)
        if (user) {
          const isNew = await insertMembership(client, { organisation, user: user.id, role, createdAt })
          if (!isNew) throw new ApiError(409, `${email} is a member already.`)
          await recordDeed(client, { ...deed, action: 'member.added', target: user.id })
          return { member: fromMember({ id: user.id, email, role, createdAt }) }
        }
        const { token, hash } = createToken(ids, 'invitation')
        const expiresAt = new Date(clock.now() + INVITATION_MS)
        const invitation = { id: ids.uuid(), organisation, email, role, createdAt, expiresAt }
        await insertInvitation(client, invitation, hash)
        await recordDeed(client, { ...deed, action: 'member.invited', target: invitation.id })
        return { invitation: { ...fromInvitation(invitation), token } }
      },
      withoutSecrets: ({ member, invitation }) => ({
        ...(member && { member }),
        ...(invitation && { invitation: withoutToken(invitation) }),
      }),
    })
  })
}

function withoutToken({ token: _token, ...rest }: Static<typeof InvitationShape>): Static<typeof InvitationShape> {
  return rest
}
