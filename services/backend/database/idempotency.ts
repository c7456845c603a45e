import type { ClientBase } from 'pg'

export interface Claim {
  /** Whose key it is. */
  readonly scope: string
  readonly keyHash: string
  /** Of the request. */
  readonly fingerprint: string
  readonly at: Date
  /** Whatever was claimed earlier than this is forgotten. */
  readonly forgetBefore: Date
}

/** What was answered when the key came first. */
export interface Answered {
  readonly fingerprint: string
  readonly answer: unknown
}

/** Few, so that no request pays for a heap of them. */
const FORGET_AT_ONCE = 100

/**
 * Takes the key for this transaction; waits for another one that is just using it.
 * @returns undefined when it is taken now, else what was answered with it before.
 */
export async function claimKey(client: ClientBase, claim: Claim): Promise<Answered | undefined> {
  const { scope, keyHash, fingerprint, at, forgetBefore } = claim
  await client.query(FORGET, [forgetBefore, FORGET_AT_ONCE])
  const { rowCount } = await client.query(CLAIM, [scope, keyHash, fingerprint, at, forgetBefore])
  if (rowCount === 1) return undefined
  const { rows } = await client.query<Answered>(
    'SELECT fingerprint, answer FROM idempotency_keys WHERE scope = $1 AND key_hash = $2',
    [scope, keyHash],
  )
  return rows[0]
}

export async function storeAnswer(
  client: ClientBase,
  { scope, keyHash }: Pick<Claim, 'scope' | 'keyHash'>,
  answer: unknown,
): Promise<void> {
  await client.query('UPDATE idempotency_keys SET answer = $3 WHERE scope = $1 AND key_hash = $2', [
    scope,
    keyHash,
    JSON.stringify(answer),
  ])
}

const FORGET = `
DELETE FROM idempotency_keys WHERE (scope, key_hash) IN (
  SELECT scope, key_hash FROM idempotency_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2
  FOR UPDATE SKIP LOCKED
)`

const CLAIM = `
INSERT INTO idempotency_keys AS known (scope, key_hash, fingerprint, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (scope, key_hash) DO UPDATE SET fingerprint = $3, created_at = $4, answer = NULL
  WHERE known.created_at <= $5`
