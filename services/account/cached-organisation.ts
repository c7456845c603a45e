import type { Redis } from 'ioredis'
import { toLimitFields } from './limits.ts'
import { READ } from './read-script.ts'
import { redisKeys } from './redis-keys.ts'
import { runScript } from './script.ts'
import type { DeletedOrganisation, StoredOrganisation } from './stored-organisation.ts'
import { WRITE } from './write-script.ts'

/** What becomes of one organisation in Redis. */
export type Write =
  | { readonly action: 'put'; readonly organisation: StoredOrganisation }
  | ({ readonly action: 'remove' } & DeletedOrganisation)
  /** `version` as Redis has it: nothing happens when it is another one by then. */
  | { readonly action: 'forget'; readonly id: string; readonly version: string }

/** An organisation as Redis has it. */
export interface CachedOrganisation {
  readonly id: string
  /** The hash of limits; empty: there is none. */
  readonly fields: Readonly<Record<string, string>>
  /** Hashes of the keys it lists. */
  readonly listed: readonly string[]
  /** By key hash, of the listed ones and those asked for: whom the key belongs to. */
  readonly owners: ReadonlyMap<string, string>
}

/**
 * Longer than any fetch may wait before it is written (a function runs for 15 minutes at most), and short enough that
 * deleted organisations do not fill Redis.
 */
const TOMBSTONE_MS = 3_600_000
/** Redis serves nobody else meanwhile: this many take about a millisecond. */
const WRITES_A_CALL = 100

/**
 * Makes Redis say these things of organisations, unless it knows something newer; `force` has no regard for that.
 * Answers whether each was done. Calls are sent at once, each of them is atomic.
 */
export async function writeOrganisations(
  redis: Redis,
  writes: readonly Write[],
  { force = false }: { readonly force?: boolean } = {},
): Promise<boolean[]> {
  const answers = await Promise.all(
    chunked(writes, WRITES_A_CALL).map(async (chunk) => {
      const args: (string | number)[] = [force ? '1' : '0', TOMBSTONE_MS]
      for (const write of chunk) appendWrite(args, write)
      return String(await runScript(redis, WRITE, args))
    }),
  )
  return Array.from(answers.join(''), (answer) => answer === '1')
}

/** Reads organisations, all at one moment, and whom the given hashes of each belong to. */
export async function readCachedOrganisations(
  redis: Redis,
  wanted: readonly { readonly id: string; readonly hashes: readonly string[] }[],
): Promise<CachedOrganisation[]> {
  if (wanted.length === 0) return []
  const args = wanted.flatMap(({ id, hashes }) => [id, hashes.length, ...hashes])
  const answers = (await runScript(redis, READ, args)) as [string[], string[], string[]][]
  return answers.map(([pairs, listed, owners], index) => {
    const { id = '', hashes = [] } = wanted[index] ?? {}
    return {
      id,
      fields: Object.fromEntries(chunked(pairs, 2) as [string, string][]),
      listed,
      owners: new Map([...listed, ...hashes].map((hash, at) => [hash, owners[at] ?? ''])),
    }
  })
}

/** Whether Redis has more of an organisation than a tombstone. */
export function isCached({ fields, listed }: CachedOrganisation): boolean {
  return listed.length > 0 || (fields['deleted'] === undefined && Object.keys(fields).length > 0)
}

/** A stretch of all names in Redis; some may come twice. */
export interface CachedNames {
  /** Organisations that something is kept of. */
  readonly ids: readonly string[]
  readonly keyHashes: readonly string[]
  /** Where to go on. */
  readonly cursor: string
}

/** Walks over everything in Redis, beginning at `cursor`, or over the names that match. */
export async function* scanCached(
  redis: Redis,
  { cursor = FIRST_CURSOR, pattern = '*' }: { readonly cursor?: string; readonly pattern?: string } = {},
): AsyncIterable<CachedNames> {
  let next = cursor
  let scanning = redis.scan(next, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
  do {
    const [following, names] = await scanning
    next = following
    if (next !== FIRST_CURSOR) {
      scanning = redis.scan(next, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
      // Whoever asks for the next stretch is told; nobody does after an early end.
      scanning.catch(() => undefined)
    }
    const ids = new Set<string>()
    const keyHashes: string[] = []
    for (const name of names) {
      if (name.startsWith(KEY_PREFIX)) keyHashes.push(name.slice(KEY_PREFIX.length))
      const [, id] = ORGANISATION.exec(name) ?? []
      if (id !== undefined) ids.add(id)
    }
    yield { ids: [...ids], keyHashes, cursor: next }
  } while (next !== FIRST_CURSOR)
}

/** Also where a scan ends. */
export const FIRST_CURSOR = '0'
const SCAN_COUNT = 1_000
const ORGANISATION = /^org:([^:]+):(?:limits|api_keys)$/
const KEY_PREFIX = redisKeys.apiKey('')
/** What a walk that needs no keys asks for: half of all names then stay where they are. */
export const ORGANISATIONS_ONLY = 'org:*'

function appendWrite(args: (string | number)[], write: Write): void {
  if (write.action !== 'put') {
    args.push(write.id, write.version, write.action, 0, 0, 0)
    return
  }
  const { id, version, limits, keyHashes, revokedKeyHashes } = write.organisation
  const fields = Object.entries(toLimitFields(limits, version)).flat()
  args.push(id, version, 'put', fields.length, ...fields)
  for (const hashes of [keyHashes, revokedKeyHashes]) {
    args.push(hashes.length)
    for (const hash of hashes) args.push(hash)
  }
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
