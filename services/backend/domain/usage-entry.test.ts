import * as fc from 'fast-check'
import { test } from 'vitest'
import { parseUsageEntry } from './usage-entry.ts'

const GOOD = {
  organisation: 'acme',
  key: 'ab12',
  kind: 'file',
  path: '/v1/listen',
  seconds: '11.25',
  id: 'request-1',
  at: '2026-01-31T23:59:59.500Z',
}

function toFields(entry: Readonly<Record<string, string>>): string[] {
  return Object.entries(entry).flat()
}

test('reads an entry, in whatever order its fields come', ({ expect }) => {
  const event = {
    organisation: 'acme',
    keyHash: 'ab12',
    kind: 'file',
    path: '/v1/listen',
    seconds: 11.25,
    id: 'request-1',
    at: Date.UTC(2026, 0, 31, 23, 59, 59, 500),
  }
  expect(parseUsageEntry(toFields(GOOD))).toEqual(event)
  expect(parseUsageEntry(toFields(Object.fromEntries(Object.entries(GOOD).reverse())))).toEqual(event)
})

test.for<[string, Record<string, string>, string]>([
  ['no id', { id: '' }, 'id is no name'],
  ['a NUL', { organisation: 'a\0b' }, 'organisation is no name'],
  ['an endless key', { key: 'x'.repeat(1_000) }, 'key is no name'],
  ['negative seconds', { seconds: '-1' }, 'seconds is no duration'],
  ['infinite seconds', { seconds: 'Infinity' }, 'seconds is no duration'],
  ['seconds beyond the ledger', { seconds: '1e99' }, 'seconds is no duration'],
  ['an unknown kind', { kind: 'fax' }, 'kind is neither file nor stream'],
  ['no time', { at: 'yesterday' }, 'at is no time'],
  ['a time that is none', { at: '2026-13-45T00:00:00Z' }, 'at is no time'],
])('refuses %s', ([, change, message], { expect }) => {
  expect(() => parseUsageEntry(toFields({ ...GOOD, ...change }))).toThrow(message)
})

test.for(['', 'v1/listen', '/v1/listen?key=secret', '/a\0b', `/${'x'.repeat(1_000)}`])(
  'an event counts though its path is %j',
  (path, { expect }) => {
    expect(parseUsageEntry(toFields({ ...GOOD, path }))).toMatchObject({ id: 'request-1', path: undefined })
  },
)

test('whatever the fields, the answer is an event the ledger can hold or an error', ({ expect }) => {
  const field = fc.constantFrom(...Object.keys(GOOD), 'other')
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(GOOD)),
    fc.double().map(String),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value)), (pairs) => {
      const event = attempt(() => parseUsageEntry(pairs.flat()))
      if (!event) return
      expect(Number.isFinite(event.seconds) && event.seconds >= 0).toBe(true)
      expect(Number.isFinite(event.at)).toBe(true)
      expect(`${event.id}${event.organisation}${event.keyHash}`).not.toContain('\0')
    }),
  )
})

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
