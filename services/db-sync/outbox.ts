import type { Client, QueryResult } from 'pg'
import { DatabaseError } from 'pg'
import type { Clock } from '../wire/clock.ts'
import type { Delivery } from './delivery.ts'
import { coalesce, type OutboxRow } from './domain/coalesce.ts'

/** Bounds memory, and how long the rows of one reader wait for each other. */
export const BATCH_ROWS = 500

export interface Forwarded {
  /** Rows that were this reader's to deliver; fewer than `BATCH_ROWS` when it has reached the end. */
  readonly rows: number
  /** Organisations told of. */
  readonly organisations: number
  /** Why some rows stay for the next attempt. */
  readonly failure?: unknown
}

/**
 * Delivers one batch. Rows stay locked until they are gone, so another reader passes them by; they go only after they are
 * delivered. Whoever dies in between leaves them to the next one: a change may be told twice, never not at all. What could
 * not be delivered is marked with the attempt.
 * @throws when PostgreSQL fails; the connection is of no more use then.
 */
export async function forwardBatch(
  client: Client,
  delivery: Delivery,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Forwarded> {
  const rows = await takeRows(client)
  if (rows.length === 0) {
    await client.query('ROLLBACK')
    return { rows: 0, organisations: 0 }
  }
  const triedAt = clock.now()
  const { organisations, failure } = await delivery.deliver(coalesce(rows), signal)
  const done = rows.flatMap(({ organisation, sequence }) => (organisations.has(organisation) ? [sequence] : []))
  const left = rows.flatMap(({ organisation, sequence }) => (organisations.has(organisation) ? [] : [sequence]))
  if (left.length > 0) await client.query(MARK, [left, new Date(triedAt)])
  await client.query(done.length > 0 ? forget(done) : 'COMMIT')
  return { rows: rows.length, organisations: organisations.size, failure }
}

/** Begins the transaction that locks them; one round trip. */
async function takeRows(client: Client): Promise<readonly OutboxRow[]> {
  try {
    // The driver answers several statements with as many results, which its types do not tell.
    const results = (await client.query(TAKE)) as unknown as readonly QueryResult<OutboxRow>[]
    return results[1]?.rows ?? []
  } catch (error) {
    // The schema comes with the first backend; until then nothing has changed.
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return []
    throw error
  }
}

/** Ends the transaction as well; one round trip, for which the numbers have to be in the text. */
function forget(sequences: readonly number[]): string {
  return `DELETE FROM organisation_outbox WHERE sequence IN (${sequences.join(',')}); COMMIT`
}

const UNDEFINED_TABLE = '42P01'

const MARK = `
UPDATE organisation_outbox SET attempts = attempts + 1, tried_at = coalesce(tried_at, $2) WHERE sequence = ANY ($1)`

const TAKE = `
BEGIN;
SELECT sequence::float8 AS sequence, organisation_id AS organisation, version::float8 AS version
FROM organisation_outbox ORDER BY organisation_outbox.sequence LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED`
