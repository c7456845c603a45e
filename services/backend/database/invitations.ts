import type { ClientBase, Pool } from 'pg'
import type { Role } from '../domain/roles.ts'

export interface Invitation {
  readonly id: string
  readonly organisation: string
  readonly email: string
  readonly role: Role
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** One that is open for the same email is replaced. */
export async function insertInvitation(client: ClientBase, invitation: Invitation, tokenHash: string): Promise<void> {
  const { id, organisation, email, role, createdAt, expiresAt } = invitation
  await client.query('DELETE FROM invitations WHERE organisation_id = $1 AND email = $2 AND accepted_at IS NULL', [
    organisation,
    email,
  ])
  await client.query(
    `INSERT INTO invitations (id, organisation_id, email, role, token_hash, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, organisation, email, role, tokenHash, createdAt, expiresAt],
  )
}

/** Marks the open invitation with this token as accepted. @returns undefined when there is none, or it has run out. */
export async function acceptInvitation(
  client: ClientBase,
  { tokenHash, email, at }: { readonly tokenHash: string; readonly email: string; readonly at: Date },
): Promise<Invitation | undefined> {
  const { rows } = await client.query<Row>(
    `UPDATE invitations SET accepted_at = $3
     WHERE token_hash = $1 AND email = $2 AND accepted_at IS NULL AND expires_at > $3 RETURNING ${COLUMNS}`,
    [tokenHash, email, at],
  )
  return rows[0] && toInvitation(rows[0])
}

/** Those that are open at `at`, by id, beginning after `after`. */
export async function listInvitations(
  pool: Pool,
  organisation: string,
  { after, count, at }: { readonly after: string; readonly count: number; readonly at: Date },
): Promise<Invitation[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM invitations
     WHERE organisation_id = $1 AND id > $2 AND accepted_at IS NULL AND expires_at > $4 ORDER BY id LIMIT $3`,
    [organisation, after, count, at],
  )
  return rows.map(toInvitation)
}

/** @returns undefined when there is no open one with this id. */
export async function deleteInvitation(
  client: ClientBase,
  organisation: string,
  id: string,
): Promise<Invitation | undefined> {
  const { rows } = await client.query<Row>(
    `DELETE FROM invitations WHERE organisation_id = $1 AND id = $2 AND accepted_at IS NULL RETURNING ${COLUMNS}`,
    [organisation, id],
  )
  return rows[0] && toInvitation(rows[0])
}

const COLUMNS = 'id, organisation_id, email, role, created_at, expires_at'

interface Row {
  readonly id: string
  readonly organisation_id: string
  readonly email: string
  readonly role: Role
  readonly created_at: Date
  readonly expires_at: Date
}

function toInvitation(row: Row): Invitation {
  const { id, organisation_id: organisation, email, role, created_at: createdAt, expires_at: expiresAt } = row
  return { id, organisation, email, role, createdAt, expiresAt }
}
