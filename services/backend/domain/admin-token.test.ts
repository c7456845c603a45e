import { test } from 'vitest'
import { carriesToken } from './admin-token.ts'

test.for([
  ['Bearer secret', true],
  ['bearer  secret ', true],
  ['Bearer secrets', false],
  ['Bearer secre', false],
  ['Token secret', false],
  ['secret', false],
  ['Bearer ', false],
  ['', false],
  [undefined, false],
] as const)('%s → %s', ([header, good], { expect }) => {
  expect(carriesToken(header, 'secret')).toBe(good)
})
