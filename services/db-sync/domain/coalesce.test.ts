import { array, assert, constantFrom, nat, property, record } from 'fast-check'
import { test } from 'vitest'
import { coalesce } from './coalesce.ts'

test('tells of each organisation once, with the newest of its versions', ({ expect }) => {
  const rows = array(record({ sequence: nat(), organisation: constantFrom('acme', 'beta', 'gamma'), version: nat() }))
  assert(
    property(rows, (given) => {
      const changes = coalesce(given)
      expect(changes.map(({ organisation }) => organisation)).toEqual([
        ...new Set(given.map(({ organisation }) => organisation)),
      ])
      for (const { organisation, version } of changes) {
        const versions = given.filter((row) => row.organisation === organisation).map((row) => row.version)
        expect(version).toBe(Math.max(...versions))
      }
    }),
  )
})
