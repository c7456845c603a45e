import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import type { Clock } from '../../../services/wire/clock.ts'
import { type Issued, issueAuthority } from './issue.ts'

/** The user's own certificate authority, which every environment on this machine shares. */
export interface Authority extends Issued {
  readonly commonName: string
  /** What browsers and clients are told to trust: a PEM file without any key. */
  readonly certFile: string
}

const COMMON_NAME = 'aldea-local development CA'
const DAY_MS = 24 * 60 * 60 * 1000
/** Trusting one by hand is not something to do every year. */
const LIFE_MS = 10 * 365 * DAY_MS
/** One that ends sooner is replaced: it could not sign for a server any more. */
const LEAST_LIFE_MS = 120 * DAY_MS
/** Clocks of this machine's containers may be behind. */
export const SKEW_MS = 60 * 60 * 1000

/** The authority kept in `<folder>/ca`, made when there is none. Only the user can read its key. */
export async function openAuthority(folder: string, clock: Clock): Promise<Authority> {
  const place = join(folder, 'ca')
  const kept = await readAuthority(place, clock)
  if (kept) return kept
  const nowMs = clock.now()
  const issued = await issueAuthority(COMMON_NAME, { fromMs: nowMs - SKEW_MS, toMs: nowMs + LIFE_MS })
  await keep(issued, { folder, place })
  // Somebody else may have been first; then it is theirs that counts.
  const first = await readAuthority(place, clock)
  if (first) return first
  throw new Error(`The certificate authority in ${place} cannot be read back.`)
}

/** What clients are told to trust. */
export function authorityFile(folder: string): string {
  return join(folder, 'ca', 'ca.pem')
}

/** Undefined where there is none, or none that still has its time. */
async function readAuthority(place: string, clock: Clock): Promise<Authority | undefined> {
  const certFile = join(place, 'ca.pem')
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(join(place, 'ca-key.pem'), 'utf8')])
    const { validTo } = new X509Certificate(cert)
    if (Date.parse(validTo) - clock.now() >= LEAST_LIFE_MS) return { cert, key, certFile, commonName: COMMON_NAME }
    await rm(place, { recursive: true, force: true })
    return undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Certificate and key appear together: a folder is moved into its place, and only where none is. */
async function keep(
  { cert, key }: Issued,
  { folder, place }: { readonly folder: string; readonly place: string },
): Promise<void> {
  await makeFolder(folder, { mode: 0o700 })
  const beside = await mkdtemp(join(folder, 'ca.new-'))
  try {
    await writeFile(join(beside, 'ca-key.pem'), key, { mode: 0o600 })
    await writeFile(join(beside, 'ca.pem'), cert, { mode: 0o644 })
    await rename(beside, place)
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    if (!isTaken(error)) throw error
  }
}

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM'
}
