import { type CachedOrganisation, isCached } from './cached-organisation.ts'
import { toLimitFields } from './limits.ts'
import type { StoredOrganisation } from './stored-organisation.ts'

/** Something that Redis says and PostgreSQL does not, or the other way round. */
export interface Disagreement {
  readonly organisation: string
  readonly kind: DisagreementKind
  /** For people. */
  readonly detail: string
  /** The key that it is about, by its hash. */
  readonly keyHash?: string
}

export type DisagreementKind =
  | 'missing'
  | 'stale'
  | 'ahead'
  | 'unknown-organisation'
  | 'key-missing'
  | 'key-wrong'
  | 'key-revoked-but-accepted'
  | 'limits-differ'

/** All disagreements about one organisation; `stored` is undefined where PostgreSQL has none. */
export function compare(stored: StoredOrganisation | undefined, cached: CachedOrganisation): Disagreement[] {
  if (stored)
    return [...compareVersions(stored, cached), ...compareLimits(stored, cached), ...compareKeys(stored, cached)]
  if (!isCached(cached)) return []
  const detail = `Redis has version ${cached.fields['version'] ?? 'none'}, PostgreSQL has no such organisation`
  return [{ organisation: cached.id, kind: 'unknown-organisation', detail }]
}

function compareVersions(stored: StoredOrganisation, { id, fields }: CachedOrganisation): Disagreement[] {
  const version = fields['version'] === undefined ? undefined : Number(fields['version'])
  const found = (kind: DisagreementKind, inRedis: string): Disagreement[] => [
    { organisation: id, kind, detail: `Redis has ${inRedis}, PostgreSQL has version ${stored.version}` },
  ]
  if (version !== undefined && version > stored.version) {
    return found('ahead', fields['deleted'] === undefined ? `version ${version}` : `its deletion, version ${version}`)
  }
  if (version === undefined || fields['deleted'] !== undefined) return found('missing', 'no such organisation')
  return version < stored.version ? found('stale', `version ${version}`) : []
}

function compareLimits(stored: StoredOrganisation, { id, fields }: CachedOrganisation): Disagreement[] {
  if (fields['deleted'] !== undefined || fields['version'] === undefined) return []
  const wanted: Readonly<Record<string, string>> = toLimitFields(stored.limits, stored.version)
  return ['max_connections', 'requests_per_minute']
    .filter((name) => fields[name] !== wanted[name])
    .map((name) => ({
      organisation: id,
      kind: 'limits-differ',
      detail: `${name} is ${fields[name] ?? 'absent'} in Redis and ${wanted[name] ?? 'absent'} in PostgreSQL`,
    }))
}

function compareKeys(stored: StoredOrganisation, { id, listed, owners }: CachedOrganisation): Disagreement[] {
  const inForce = new Set(stored.keyHashes)
  const isListed = new Set(listed)
  const found = (kind: DisagreementKind, keyHash: string, problem: string): Disagreement[] => [
    { organisation: id, kind, detail: `key ${keyHash.slice(0, SHOWN_DIGITS)}… ${problem}`, keyHash },
  ]
  const missing = stored.keyHashes.flatMap((hash) => {
    const owner = owners.get(hash) ?? ''
    if (owner === '') return found('key-missing', hash, 'is not accepted')
    if (owner !== id) return found('key-wrong', hash, `is accepted for ${owner}`)
    return isListed.has(hash) ? [] : found('key-missing', hash, 'is not among those of its organisation')
  })
  const surplus = [...new Set([...listed, ...stored.revokedKeyHashes])].flatMap((hash) => {
    if (inForce.has(hash)) return []
    if (owners.get(hash) === id) return found('key-revoked-but-accepted', hash, 'is not in force and is accepted')
    return isListed.has(hash) ? found('key-wrong', hash, 'is listed and not in force') : []
  })
  return [...missing, ...surplus]
}

const SHOWN_DIGITS = 12
