import { Type } from 'typebox'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { recordDeed } from '../database/audit-log.ts'
import { acceptInvitation, deleteInvitation, listInvitations } from '../database/invitations.ts'
import { insertMembership } from '../database/memberships.ts'
import { hashToken } from '../domain/token.ts'
import { USERS_ONLY, userOf } from './authentication.ts'
import { authorize } from './authorization.ts'
import { fromInvitation, InvitationShape } from './member-shapes.ts'
import { countOf, Next, nextOf, PageQuery } from './page.ts'
import type { RouteDeps } from './route.ts'
import type { SchemaApi } from './schemas.ts'
import { OrganisationId, OrganisationParams, RoleShape } from './shapes.ts'

const listSchema = {
  summary: 'The invitations that are open.',
  params: OrganisationParams,
  querystring: PageQuery,
  response: { 200: Type.Object({ invitations: Type.Array(InvitationShape), next: Next }) },
}

const withdrawSchema = {
  summary: 'Withdraw an invitation.',
  params: Type.Object({ id: OrganisationId, invitationId: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }) }),
  response: { 200: InvitationShape },
}

export function invitationRoutes(api: SchemaApi, { pool, clock }: RouteDeps): void {
  api.get('/organisations/:id/invitations', { schema: listSchema }, async ({ actor, params: { id }, query }) => {
    await authorize(pool, actor, id, 'change members')
    const count = countOf(query)
    const at = new Date(clock.now())
    const page = await listInvitations(pool, id, { after: query.after ?? '', count, at })
    return { invitations: page.map(fromInvitation), ...nextOf(page, count, (last) => last.id) }
  })

  const path = '/organisations/:id/invitations/:invitationId'
  api.delete(path, { schema: withdrawSchema }, ({ actor, params: { id: organisation, invitationId } }) =>
    transaction(pool, async (client) => {
      await authorize(client, actor, organisation, 'change members')
      const invitation = await deleteInvitation(client, organisation, invitationId)
      if (!invitation) throw new ApiError(404, `There is no open invitation ${invitationId}.`)
      const deed = { actor, organisation, target: invitationId, details: { email: invitation.email } }
      await recordDeed(client, { ...deed, action: 'invitation.withdrawn', at: new Date(clock.now()) })
      return fromInvitation(invitation)
    }),
  )
}

const acceptSchema = {
  summary: 'Accept an invitation that was made for the email of the user who is signed in.',
  body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 100 }) }, { additionalProperties: false }),
  response: { 200: Type.Object({ organisation: OrganisationId, role: RoleShape }) },
  refusals: {
    403: USERS_ONLY,
    404: 'There is no open invitation with this token for the user.',
    409: 'The user is a member already.',
  },
}

export function acceptInvitationRoute(api: SchemaApi, { pool, clock }: RouteDeps): void {
  api.post('/invitations/accept', { schema: acceptSchema }, ({ actor, body: { token } }) =>
    transaction(pool, async (client) => {
      const user = userOf(actor)
      const at = new Date(clock.now())
      const invitation = await acceptInvitation(client, { tokenHash: hashToken(token), email: user.name, at })
      if (!invitation) throw new ApiError(404, `There is no open invitation with this token for ${user.name}.`)
      const { organisation, role } = invitation
      const isNew = await insertMembership(client, { organisation, user: user.id, role, createdAt: at })
      if (!isNew) throw new ApiError(409, 'You are a member already.')
      const deed = { actor: user, organisation, target: user.id, details: { email: user.name, role }, at }
      await recordDeed(client, { ...deed, action: 'invitation.accepted' })
      return { organisation, role }
    }),
  )
}
