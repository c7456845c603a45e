import * as fc from 'fast-check'
import { test } from 'vitest'
import { hashKey, keysFrom, selectProtocol } from './keys.ts'

test('a key is stored as its SHA-256 in hex', ({ expect }) => {
  expect(hashKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test.for<[why: string, headers: Record<string, string>, keys: string[]]>([
  ['none at all', {}, []],
  ['Bearer', { authorization: 'Bearer org_a-B_1' }, ['org_a-B_1']],
  ['any case of the scheme', { authorization: 'tOkEn   org_a' }, ['org_a']],
  ['no scheme', { authorization: 'org_a' }, []],
  ['another prefix', { authorization: 'Bearer sk_a' }, []],
  ['nothing behind the prefix', { authorization: 'Bearer org_' }, []],
  ['a character that no key has', { authorization: 'Bearer org_a*b' }, []],
  ['a key longer than any', { authorization: `Bearer org_${'a'.repeat(257)}` }, []],
  ['subprotocols', { 'sec-websocket-protocol': 'token,org_a' }, ['org_a']],
  ['a subprotocol without a key', { 'sec-websocket-protocol': 'token' }, []],
  ['another subprotocol first', { 'sec-websocket-protocol': 'chat, token, org_a' }, []],
  ['both', { authorization: 'Token org_a', 'sec-websocket-protocol': 'token, org_b' }, ['org_a', 'org_b']],
])('finds keys in %s', ([, headers, keys], { expect }) => {
  expect(keysFrom(headers)).toEqual(keys)
})

test('whatever the headers say, only well-formed keys are found', ({ expect }) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (authorization, protocols) => {
      for (const key of keysFrom({ authorization, 'sec-websocket-protocol': protocols })) {
        expect(key).toMatch(/^org_[\w-]{1,256}$/)
      }
    }),
  )
})

test('the first offered name is selected, and never the key', ({ expect }) => {
  expect(selectProtocol(['token', 'org_a'])).toBe('token')
  expect(selectProtocol(['Bearer', 'org_a', 'x-deepgram-session-id'])).toBe('Bearer')
  expect(selectProtocol(['org_a', 'token'])).toBe(false)
  expect(selectProtocol([])).toBe(false)
})
