import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkServerIdentity } from 'node:tls'
import { promisify } from 'node:util'
import { type TestContext, test } from 'vitest'
import { type VirtualClock, createVirtualClock } from '../../core/clock.ts'
import type { Certificate, TlsConfig } from '../model.ts'
import { openAuthority } from './authority.ts'
import { openCertificates } from './certificates.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const START_MS = Date.parse('2026-03-01T00:00:00Z')

interface Opened {
  readonly folder: string
  readonly clock: VirtualClock
  open(): Promise<TlsConfig>
}

async function setUp(onTestFinished: TestContext['onTestFinished']): Promise<Opened> {
  const parent = await mkdtemp(join(tmpdir(), 'aldea-tls-'))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  const folder = join(parent, 'tls')
  const clock = createVirtualClock(START_MS)
  const about = { hosts: ['api.localhost', 'api.aldea.ai'], region: 'us-west-2', accountId: '000000000000' }
  return { folder, clock, open: () => openCertificates({ folder, clock, ...about }) }
}

const parse = ({ cert }: Pick<Certificate, 'cert'>): X509Certificate => new X509Certificate(cert)

test('certificates of known hosts are theirs, of any other name the default one, all signed by one authority', async ({
  expect,
  onTestFinished,
}) => {
  const { folder, clock, open } = await setUp(onTestFinished)
  const { certificateFor } = await open()
  const ca = parse(await openAuthority(folder, clock))
  const [api, other, none] = await Promise.all([
    certificateFor('API.aldea.ai'),
    certificateFor('elsewhere.example'),
    certificateFor(undefined),
  ])

  expect(parse(api).subjectAltName).toBe('DNS:api.aldea.ai')
  expect(parse(none).subjectAltName).toBe(
    'DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  expect(other).toEqual(none)
  expect(api.arn).toMatch(/^arn:aws:acm:us-west-2:000000000000:certificate\/[0-9a-f-]{36}$/)
  expect(api.arn).not.toBe(none.arn)
  for (const each of [api, none]) {
    expect(parse(each).checkIssued(ca)).toBe(true)
    expect(parse(each).verify(ca.publicKey)).toBe(true)
    expect(parse(each).ca).toBe(false)
  }
  expect({ isAuthority: ca.ca, isItsOwn: ca.verify(ca.publicKey) }).toEqual({ isAuthority: true, isItsOwn: true })
  expect(checkServerIdentity('api.aldea.ai', parse(api).toLegacyObject())).toBeUndefined()
})

test('OpenSSL takes the chain for a server of that name and for nothing else', async ({
  expect,
  onTestFinished,
  skip,
}) => {
  const openssl = promisify(execFile)
  if ((await openssl('openssl', ['version']).catch(() => undefined)) === undefined) skip('no openssl here')
  const { folder, open } = await setUp(onTestFinished)
  await (await open()).certificateFor('api.localhost')
  const verify = async (...args: string[]): Promise<string> => {
    const at = String(START_MS / 1000 + 60)
    const files = ['-CAfile', join(folder, 'ca', 'ca.pem'), join(folder, 'certificates', 'api.localhost.pem')]
    const strict = ['verify', '-x509_strict', '-attime', at, ...args, ...files]
    return openssl('openssl', strict).then(
      ({ stdout }) => stdout,
      ({ stderr }: { stderr: string }) => stderr,
    )
  }

  expect(await verify('-purpose', 'sslserver', '-verify_hostname', 'api.localhost')).toMatch(/: OK\n$/)
  expect(await verify('-purpose', 'sslclient')).toContain('unsuitable certificate purpose')
  expect(await verify('-verify_hostname', 'other.localhost')).toContain('hostname mismatch')
})

test('keys are readable by their owner alone', async ({ expect, onTestFinished }) => {
  const { folder, open } = await setUp(onTestFinished)
  await (await open()).certificateFor('api.localhost')
  for (const file of ['ca/ca-key.pem', 'certificates/api.localhost.pem', 'certificates/default.pem']) {
    expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  }
  expect(await readFile(join(folder, 'ca', 'ca.pem'), 'utf8')).not.toContain('PRIVATE')
})

test('authority and certificates are kept from start to start, however many start at once', async ({
  expect,
  onTestFinished,
}) => {
  const { folder, clock, open } = await setUp(onTestFinished)
  const authorities = await Promise.all([1, 2, 3, 4].map(() => openAuthority(folder, clock)))
  expect(new Set(authorities.map(({ cert }) => cert)).size).toBe(1)

  const first = await (await open()).certificateFor('api.localhost')
  expect(await (await open()).certificateFor('api.localhost')).toEqual(first)
})

test('a certificate is renewed when a third of its life is left, in a running process too', async ({
  expect,
  onTestFinished,
}) => {
  const { clock, open } = await setUp(onTestFinished)
  const { certificateFor } = await open()
  const first = await certificateFor('api.localhost')
  await clock.advance(59 * DAY_MS)
  expect(await certificateFor('api.localhost')).toBe(first)

  await clock.advance(2 * DAY_MS)
  const second = await certificateFor('api.localhost')
  expect(second.arn).toBe(first.arn)
  expect(Date.parse(parse(second).validTo)).toBe(clock.now() + 90 * DAY_MS)
})

test('an authority near its end is replaced, and what it has signed with it; past 2049 dates are still read', async ({
  expect,
  onTestFinished,
}) => {
  const { folder, clock, open } = await setUp(onTestFinished)
  const old = await openAuthority(folder, clock)
  await clock.advance(25 * 365 * DAY_MS)
  const { certificateFor } = await open()
  const fresh = await openAuthority(folder, clock)
  expect(fresh.cert).not.toBe(old.cert)
  expect(parse(await certificateFor('api.localhost')).verify(parse(fresh).publicKey)).toBe(true)
  expect(new Date(parse(fresh).validTo).getUTCFullYear()).toBe(2061)
})

test('a certificate of an authority that is gone is replaced', async ({ expect, onTestFinished }) => {
  const { folder, clock, open } = await setUp(onTestFinished)
  await (await open()).certificateFor('api.localhost')
  await rm(join(folder, 'ca'), { recursive: true })
  const ca = await openAuthority(folder, clock)
  expect(parse(await (await open()).certificateFor('api.localhost')).verify(parse(ca).publicKey)).toBe(true)
})
