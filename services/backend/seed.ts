import { readFile } from 'node:fs/promises'
import type { Pool } from 'pg'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { transaction } from '../account/postgres.ts'
import type { Runtime } from '../wire/runtime.ts'
import { insertOrganisation } from './database/organisations.ts'
import { toKeySecret } from './domain/new-key.ts'
import { LimitsShape, OrganisationId, toLimits } from './routes/shapes.ts'

const Seed = Type.Object(
  {
    organisation: OrganisationId,
    name: Type.String({ minLength: 1 }),
    /** Public: whoever can read the file can use it. */
    key: Type.String({ pattern: '^org_[A-Za-z0-9_-]{1,256}$' }),
    limits: LimitsShape,
  },
  { additionalProperties: false },
)

export type Seed = Static<typeof Seed>

/** @throws Error naming the file. */
export async function loadSeed(file: string): Promise<Seed> {
  const text = await readFile(file, 'utf8')
  try {
    return Value.Parse(Seed, JSON.parse(text))
  } catch (error) {
    throw new Error(`${file} is no seed: it must hold an organisation, its name, key and limits.`, { cause: error })
  }
}

/**
 * Makes sure that the organisation is there and its key works; only the key's hash is stored. Name and limits are
 * those of the first start: what was changed since then stays.
 */
export async function applySeed(pool: Pool, seed: Seed, { clock, ids }: Pick<Runtime, 'clock' | 'ids'>): Promise<void> {
  const { organisation: id, name, key, limits } = seed
  const { hash, prefix } = toKeySecret(key)
  const { rowCount } = await pool.query(IN_FORCE, [hash, id])
  if (rowCount === 1) return

  const createdAt = new Date(clock.now())
  await transaction(pool, async (client) => {
    await insertOrganisation(client, { id, name, createdAt, limits: toLimits(limits) })
    await client.query(PUT_IN_FORCE, [ids.uuid(), id, hash, name, prefix, createdAt])
  })
}

const IN_FORCE = 'SELECT FROM api_keys WHERE hash = $1 AND organisation_id = $2 AND revoked_at IS NULL'

const PUT_IN_FORCE = `
INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (hash) DO UPDATE SET revoked_at = NULL`
