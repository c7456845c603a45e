import type { Disagreement } from './compare.ts'
import { copyOrganisations, type Stores } from './copy-organisations.ts'
import { redisKeys } from './redis-keys.ts'
import { readKeysInForce } from './stored-organisation.ts'

/** How many disagreements are dealt with at a time. */
const PAGE = 500

/** Makes Redis say what PostgreSQL says by now, of every organisation and key that the disagreements name. */
export async function repairConsistency(stores: Stores, disagreements: readonly Disagreement[]): Promise<void> {
  for (let start = 0; start < disagreements.length; start += PAGE) {
    const some = disagreements.slice(start, start + PAGE)
    await forgetKeys(stores, some)
    const ahead = new Set(some.filter(({ kind }) => kind === 'ahead').map(({ organisation }) => organisation))
    const others = new Set(some.map(({ organisation }) => organisation).filter((id) => !ahead.has(id)))
    await copyOrganisations(stores, [...others])
    await copyOrganisations(stores, [...ahead], { force: true })
  }
}

/** Takes back keys that are accepted though they are not in force, by whomever they are listed. */
async function forgetKeys({ pool, redis }: Stores, disagreements: readonly Disagreement[]): Promise<void> {
  const hashes = disagreements.flatMap(({ kind, keyHash }) =>
    kind === 'key-revoked-but-accepted' && keyHash !== undefined ? [keyHash] : [],
  )
  const inForce = await readKeysInForce(pool, hashes)
  const gone = hashes.filter((hash) => !inForce.has(hash))
  if (gone.length > 0) await redis.del(gone.map(redisKeys.apiKey))
}
