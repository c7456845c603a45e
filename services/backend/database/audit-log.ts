import type { ClientBase, Pool } from 'pg'
import type { Actor } from '../domain/actor.ts'

/** One thing that somebody did. */
export interface Deed {
  readonly actor: Pick<Actor, 'id' | 'name'>
  readonly organisation: string
  /** `key.created`: what it was done to, and what. */
  readonly action: string
  /** Id of what it was done to. */
  readonly target: string
  /** Names and roles, never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly at: Date
}

export interface StoredDeed extends Required<Deed> {
  readonly id: string
}

/** Takes the client of the transaction that does the deed: both happen, or none. */
export async function recordDeed(client: ClientBase, deed: Deed): Promise<void> {
  const { actor, organisation, action, target, details = {}, at } = deed
  await client.query(
    `INSERT INTO audit_log (organisation_id, actor_id, actor_name, action, target, details, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [organisation, actor.id, actor.name, action, target, details, at],
  )
}

/** The latest first, beginning before the one with the id `after`. */
export async function listDeeds(
  pool: Pool,
  organisation: string,
  { after, count }: { readonly after: string | undefined; readonly count: number },
): Promise<StoredDeed[]> {
  const { rows } = await pool.query<Row>(
    `SELECT id, organisation_id, actor_id, actor_name, action, target, details, at FROM audit_log
     WHERE organisation_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [organisation, after ?? null, count],
  )
  return rows.map((row) => ({
    id: row.id,
    organisation: row.organisation_id,
    actor: { id: row.actor_id, name: row.actor_name },
    action: row.action,
    target: row.target,
    details: row.details,
    at: row.at,
  }))
}

interface Row {
  /** The driver gives bigint as text. */
  readonly id: string
  readonly organisation_id: string
  readonly actor_id: string
  readonly actor_name: string
  readonly action: string
  readonly target: string
  readonly details: Record<string, unknown>
  readonly at: Date
}
