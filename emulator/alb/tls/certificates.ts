import { X509Certificate, createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import type { Clock } from '../../../services/wire/clock.ts'
import { replaceFile } from '../../core/replace-file.ts'
import type { Certificate, TlsConfig } from '../model.ts'
import { type Authority, SKEW_MS, openAuthority } from './authority.ts'
import { type Issued, issueServer } from './issue.ts'

export interface CertificatesOptions {
  /** Kept between starts, and shared by every environment of the user. */
  readonly folder: string
  /** Host names with a certificate of their own. Every other one gets the default certificate. */
  readonly hosts: readonly string[]
  /** For the ARNs of the access log. */
  readonly region: string
  readonly accountId: string
  readonly clock: Clock
}

/** Of the default certificate: whatever reaches this machine alone. */
const LOCAL_NAMES = ['localhost', '*.localhost', '127.0.0.1', '::1'] as const

const DAY_MS = 24 * 60 * 60 * 1000
/** Shorter than any limit that browsers set. */
const LIFE_MS = 90 * DAY_MS
/** A third before the end, as ACME clients do. */
const RENEWAL_MS = LIFE_MS / 3

/** Certificates for the emulated names, signed by the user's authority; made when first asked for, renewed in time. */
export async function openCertificates(options: CertificatesOptions): Promise<TlsConfig> {
  const { folder, hosts, clock } = options
  const authority = await openAuthority(folder, clock)
  const known = new Set(hosts.map((host) => host.toLowerCase()))
  const opened = new Map<string, Promise<Dated>>()

  async function certificateFor(serverName: string | undefined): Promise<Certificate> {
    const asked = serverName?.toLowerCase() ?? ''
    const host = known.has(asked) ? asked : ''
    const current = await (opened.get(host) ?? open(host))
    return current.endsMs - clock.now() > RENEWAL_MS ? current : open(host)
  }

  /** However many ask at once, they get the same. What failed is tried again by whoever asks next. */
  function open(host: string): Promise<Dated> {
    const opening = openCertificate(host, authority, options)
    opened.set(host, opening)
    opening.catch(() => opened.delete(host))
    return opening
  }

  // What cannot work is said at the start, not in a handshake.
  await certificateFor(undefined)
  return { certificateFor }
}

interface Dated extends Certificate {
  readonly endsMs: number
}

/** The kept certificate of a host, or a new one. `''` is the default one. */
async function openCertificate(host: string, authority: Authority, options: CertificatesOptions): Promise<Dated> {
  const { folder, clock, region, accountId } = options
  const names: readonly [string, ...string[]] = host === '' ? LOCAL_NAMES : [host]
  const file = join(folder, 'certificates', `${host === '' ? 'default' : host}.pem`)
  const arn = `arn:aws:acm:${region}:${accountId}:certificate/${toUuid(host)}`
  const kept = await readKept(file, authority)
  if (kept && endOf(kept) - clock.now() > RENEWAL_MS) return { ...kept, arn, endsMs: endOf(kept) }

  const nowMs = clock.now()
  const issued = await issueServer(names, authority, { fromMs: nowMs - SKEW_MS, toMs: nowMs + LIFE_MS })
  await makeFolder(join(folder, 'certificates'), { mode: 0o700 })
  await replaceFile(file, issued.key + issued.cert, 'kill')
  return { ...issued, arn, endsMs: endOf(issued) }
}

/** Undefined when there is none, or one of an earlier authority. */
async function readKept(file: string, authority: Authority): Promise<Issued | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const start = text.indexOf('-----BEGIN CERTIFICATE-----')
  if (start === -1) return undefined
  const issued = { key: text.slice(0, start), cert: text.slice(start) }
  const { publicKey } = new X509Certificate(authority.cert)
  return new X509Certificate(issued.cert).verify(publicKey) ? issued : undefined
}

function endOf({ cert }: Issued): number {
  return Date.parse(new X509Certificate(cert).validTo)
}

/** The same for a host at every start, as a certificate that ACM renews keeps its ARN. */
function toUuid(host: string): string {
  const hex = createHash('sha256').update(`certificate of ${host}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
