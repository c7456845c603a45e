import type { ClientBase, Pool } from 'pg'
import type { Role } from '../domain/roles.ts'

type Client = Pick<ClientBase, 'query'> | Pick<Pool, 'query'>

export interface Membership {
  readonly organisation: string
  readonly user: string
  readonly role: Role
  readonly createdAt: Date
}

export interface Member {
  readonly id: string
  readonly email: string
  readonly role: Role
  readonly createdAt: Date
}

/** @returns false when the user is a member already. */
export async function insertMembership(
  client: Client,
  { organisation, user, role, createdAt }: Membership,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO memberships (organisation_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [organisation, user, role, createdAt],
  )
  return rowCount === 1
}

export async function findRole(client: Client, organisation: string, user: string): Promise<Role | undefined> {
  const { rows } = await client.query<{ role: Role }>(
    'SELECT role FROM memberships WHERE organisation_id = $1 AND user_id = $2',
    [organisation, user],
  )
  return rows[0]?.role
}

/** Everybody's role by user id; nobody else changes them until the transaction ends. */
export async function lockRoles(client: ClientBase, organisation: string): Promise<ReadonlyMap<string, Role>> {
  const { rows } = await client.query<{ user_id: string; role: Role }>(
    'SELECT user_id, role FROM memberships WHERE organisation_id = $1 ORDER BY user_id FOR UPDATE',
    [organisation],
  )
  return new Map(rows.map((row) => [row.user_id, row.role]))
}

export async function updateRole(client: ClientBase, organisation: string, user: string, role: Role): Promise<void> {
  await client.query('UPDATE memberships SET role = $3 WHERE organisation_id = $1 AND user_id = $2', [
    organisation,
    user,
    role,
  ])
}

export async function deleteMembership(client: ClientBase, organisation: string, user: string): Promise<void> {
  await client.query('DELETE FROM memberships WHERE organisation_id = $1 AND user_id = $2', [organisation, user])
}

/** By email, beginning after `after`. */
export async function listMembers(
  pool: Pool,
  organisation: string,
  { after, count }: { readonly after: string; readonly count: number },
): Promise<Member[]> {
  const { rows } = await pool.query<MemberRow>(
    `${SELECT_MEMBERS} WHERE organisation_id = $1 AND email > $2 ORDER BY email LIMIT $3`,
    [organisation, after, count],
  )
  return rows.map(toMember)
}

export async function findMember(client: Client, organisation: string, user: string): Promise<Member | undefined> {
  const { rows } = await client.query<MemberRow>(`${SELECT_MEMBERS} WHERE organisation_id = $1 AND id = $2`, [
    organisation,
    user,
  ])
  return rows[0] && toMember(rows[0])
}

const SELECT_MEMBERS = `
SELECT id, email, role, memberships.created_at FROM memberships JOIN users ON id = user_id`

interface MemberRow {
  readonly id: string
  readonly email: string
  readonly role: Role
  readonly created_at: Date
}

function toMember({ id, email, role, created_at: createdAt }: MemberRow): Member {
  return { id, email, role, createdAt }
}

/** The organisations of a user with the user's role, by id, beginning after `after`. */
export async function listMemberships(
  pool: Pool,
  user: string,
  { after, count }: { readonly after: string; readonly count: number },
): Promise<{ readonly id: string; readonly name: string; readonly role: Role }[]> {
  const { rows } = await pool.query<{ id: string; name: string; role: Role }>(
    `SELECT id, name, role FROM memberships JOIN organisations ON id = organisation_id
     WHERE user_id = $1 AND organisation_id > $2 ORDER BY organisation_id LIMIT $3`,
    [user, after, count],
  )
  return rows
}
