import { test } from 'vitest'
import { systemIds } from '../../wire/ids.ts'
import { checkPassword, hashPassword } from './password.ts'

test('a password is known again by its hash only, and two hashes of it differ', async ({ expect }) => {
  const [one, other] = await Promise.all([hashPassword('Grüße 123', systemIds), hashPassword('Grüße 123', systemIds)])
  expect(one).not.toBe(other)
  expect(await checkPassword('Grüße 123'.normalize('NFD'), one)).toBe(true)
  expect(await checkPassword('grüße 123', one)).toBe(false)
  expect(await checkPassword('Grüße 123', undefined)).toBe(false)
  expect(await checkPassword('Grüße 123', 'plain')).toBe(false)
})

test('a hash of another cost is still known', async ({ expect }) => {
  // RFC 7914, section 12: scrypt of "pleaseletmein" with "SodiumChloride", N 16384, r 8, p 1, the first 32 octets.
  const salt = Buffer.from('SodiumChloride').toString('base64url')
  const hash = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex').toString(
    'base64url',
  )
  expect(await checkPassword('pleaseletmein', `scrypt$16384,8,1$${salt}$${hash}`)).toBe(true)
})
