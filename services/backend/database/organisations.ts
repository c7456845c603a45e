import type { ClientBase, Pool } from 'pg'
import type { Limits } from '../../account/limits.ts'

export interface Organisation {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  readonly limits: Limits
}

type Client = Pick<ClientBase, 'query'>

/** @returns false when there is one with this id already. */
export async function insertOrganisation(client: Client, organisation: Organisation): Promise<boolean> {
  const { id, name, createdAt, limits } = organisation
  const { rowCount } = await client.query(
    `WITH organisation AS (
       INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id
     )
     INSERT INTO limits (organisation_id, max_connections, requests_per_minute)
     SELECT id, $4, $5 FROM organisation`,
    [id, name, createdAt, limits.maxConnections, limits.requestsPerMinute ?? null],
  )
  return rowCount === 1
}

/** By id, beginning after `after`; all, or those that a user is a member of. */
export async function listOrganisations(
  pool: Pool,
  { after, count, user }: { readonly after: string; readonly count: number; readonly user: string | undefined },
): Promise<Organisation[]> {
  const { rows } = await pool.query<Row>(
    `${SELECT} WHERE id > $1 AND ($3::text IS NULL OR EXISTS (
       SELECT FROM memberships WHERE memberships.organisation_id = id AND user_id = $3))
     ORDER BY id LIMIT $2`,
    [after, count, user ?? null],
  )
  return rows.map(toOrganisation)
}

export async function findOrganisation(client: Client | Pool, id: string): Promise<Organisation | undefined> {
  const { rows } = await client.query<Row>(`${SELECT} WHERE id = $1`, [id])
  return rows[0] && toOrganisation(rows[0])
}

/** @returns false when there is no such organisation. */
export async function updateLimits(client: Client, id: string, limits: Limits): Promise<boolean> {
  const { rowCount } = await client.query(
    'UPDATE limits SET max_connections = $2, requests_per_minute = $3 WHERE organisation_id = $1',
    [id, limits.maxConnections, limits.requestsPerMinute ?? null],
  )
  return rowCount === 1
}

interface Row {
  readonly id: string
  readonly name: string
  readonly created_at: Date
  readonly max_connections: number
  readonly requests_per_minute: number | null
}

const SELECT = `
SELECT id, name, created_at, max_connections, requests_per_minute
FROM organisations JOIN limits ON limits.organisation_id = id`

function toOrganisation(row: Row): Organisation {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    limits: { maxConnections: row.max_connections, requestsPerMinute: row.requests_per_minute ?? undefined },
  }
}
