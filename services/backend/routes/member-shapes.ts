import { type Static, Type } from 'typebox'
import type { Invitation } from '../database/invitations.ts'
import type { Member } from '../database/memberships.ts'
import { Email, Instant, RoleShape } from './shapes.ts'

export const MemberShape = Type.Object({ id: Type.String(), email: Email, role: RoleShape, createdAt: Instant })

export const InvitationShape = Type.Object({
  id: Type.String(),
  email: Email,
  role: RoleShape,
  createdAt: Instant,
  expiresAt: Instant,
  token: Type.Optional(Type.String({ description: 'Shown once, kept nowhere; give it to whoever is invited.' })),
})

export function fromMember({ id, email, role, createdAt }: Member): Static<typeof MemberShape> {
  return { id, email, role, createdAt: createdAt.toISOString() }
}

export function fromInvitation({ id, email, role, createdAt, expiresAt }: Invitation): Static<typeof InvitationShape> {
  return { id, email, role, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
}
