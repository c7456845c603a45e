import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPair, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { systemIds } from '../../../services/wire/ids.ts'
import {
  bitString,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
  time,
  truth,
  utf8String,
} from './der.ts'

/** A certificate with its private key, both as PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  readonly fromMs: number
  readonly toMs: number
}

/** A certificate authority of its own. It may sign certificates of servers and no further authorities. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<Issued> {
  const { publicKey, privateKey } = await newKeys()
  const name = toName(commonName)
  return issue({
    issuer: name,
    signedWith: privateKey,
    subject: name,
    publicKey,
    privateKey,
    validity,
    extensions: [
      extension(OID.basicConstraints, sequence(truth(), integer(Buffer.of(0))), 'critical'),
      extension(OID.keyUsage, bitString(Buffer.of(KEY_USAGE.signsCertificates), 1), 'critical'),
      extension(OID.subjectKeyIdentifier, octetString(toKeyId(publicKey))),
    ],
  })
}

/** A server's certificate for host names (`*.` in front included) and addresses, the first of which is its subject. */
export async function issueServer(
  names: readonly [string, ...string[]],
  authority: Issued & { readonly commonName: string },
  validity: Validity,
): Promise<Issued> {
  const { publicKey, privateKey } = await newKeys()
  const signedWith = createPrivateKey(authority.key)
  return issue({
    issuer: toName(authority.commonName),
    signedWith,
    subject: toName(names[0]),
    publicKey,
    privateKey,
    validity,
    extensions: [
      extension(OID.basicConstraints, sequence(), 'critical'),
      extension(OID.keyUsage, bitString(Buffer.of(KEY_USAGE.signsHandshakes), 7), 'critical'),
      extension(OID.extendedKeyUsage, sequence(objectId(OID.serverAuthentication))),
      extension(OID.subjectAlternativeName, sequence(...names.map(toAlternativeName))),
      extension(OID.subjectKeyIdentifier, octetString(toKeyId(publicKey))),
      extension(OID.authorityKeyIdentifier, sequence(implicit(0, toKeyId(spkiOf(signedWith))))),
    ],
  })
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
} as const

/** Bits of RFC 5280 §4.2.1.3, the first one the highest. */
const KEY_USAGE = { signsHandshakes: 0b1000_0000, signsCertificates: 0b0000_0110 } as const

/** The version that has extensions. */
const VERSION_3 = Buffer.of(2)
/** RFC 5280 allows 20 bytes. */
const SERIAL_BYTES = 16
const KEY_ID_BYTES = 20
/** RFC 5280 §4.2.1.6. */
const ALTERNATIVE_NAME = { dns: 2, address: 7 } as const

interface Content {
  readonly issuer: Buffer
  readonly signedWith: KeyObject
  readonly subject: Buffer
  readonly publicKey: Buffer
  readonly privateKey: KeyObject
  readonly validity: Validity
  readonly extensions: readonly Buffer[]
}

/** RFC 5280 §4.1: what is signed, how, and the signature. */
function issue({ issuer, signedWith, subject, publicKey, privateKey, validity, extensions }: Content): Issued {
  const algorithm = sequence(objectId(OID.ecdsaWithSha256))
  const signed = sequence(
    explicit(0, integer(VERSION_3)),
    integer(toSerial()),
    algorithm,
    issuer,
    sequence(time(validity.fromMs), time(validity.toMs)),
    subject,
    publicKey,
    explicit(3, sequence(...extensions)),
  )
  const der = sequence(signed, algorithm, bitString(sign('sha256', signed, signedWith)))
  return { cert: toPem(der), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

async function newKeys(): Promise<{ publicKey: Buffer; privateKey: KeyObject }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' })
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey }
}

function toName(commonName: string): Buffer {
  return sequence(setOf(sequence(objectId(OID.commonName), utf8String(commonName))))
}

function extension(id: string, value: Buffer, isCritical?: 'critical'): Buffer {
  return sequence(objectId(id), ...(isCritical ? [truth()] : []), octetString(value))
}

/** Positive and never zero. Not from injected ids: those may repeat, and no authority may give a number twice. */
function toSerial(): Buffer {
  const bytes = Buffer.from(systemIds.hex(SERIAL_BYTES), 'hex')
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

/** RFC 7093 §2: the first 160 bits of the public key's SHA-256. */
function toKeyId(publicKey: Buffer): Buffer {
  return createHash('sha256').update(publicKey).digest().subarray(0, KEY_ID_BYTES)
}

function spkiOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
}

function toAlternativeName(name: string): Buffer {
  const kind = isIP(name)
  if (kind === 0) return implicit(ALTERNATIVE_NAME.dns, Buffer.from(name, 'latin1'))
  return implicit(ALTERNATIVE_NAME.address, kind === 4 ? Buffer.from(name.split('.').map(Number)) : toIpv6Bytes(name))
}

/** Sixteen bytes of an address that may leave groups out with `::`. */
function toIpv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const before = toGroups(head)
  const after = toGroups(tail ?? '')
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function toGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/** Lines of PEM have 64 characters (RFC 7468). */
function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
