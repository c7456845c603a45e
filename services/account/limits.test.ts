import * as fc from 'fast-check'
import { test } from 'vitest'
import { parseLimits, toLimitFields } from './limits.ts'

test('ten connections and any number of requests are the default', ({ expect }) => {
  expect(parseLimits({})).toEqual({ maxConnections: 10, requestsPerMinute: undefined })
  expect(parseLimits({ max_connections: 'many', requests_per_minute: '-1' })).toEqual(parseLimits({}))
})

test('limits survive the way through Redis', ({ expect }) => {
  const count = fc.nat({ max: 999_999_999 })
  const anyLimits = fc.record({ maxConnections: count, requestsPerMinute: fc.option(count, { nil: undefined }) })
  fc.assert(
    fc.property(anyLimits, fc.nat(), (limits, version) => {
      expect(parseLimits(toLimitFields(limits, version))).toEqual(limits)
    }),
  )
})
