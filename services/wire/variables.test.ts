import { Type } from 'typebox'
import { test } from 'vitest'
import { readVariables } from './variables.ts'

const Schema = Type.Object({
  REDIS_URL: Type.String({ pattern: '^redis://' }),
  LIMIT: Type.Integer({ minimum: 1, default: 10 }),
  COMPAT: Type.Union([Type.Literal('aldea'), Type.Literal('deepgram')], { default: 'aldea' }),
  SEED_FILE: Type.Optional(Type.String()),
})

test('converts what is given and fills in defaults', ({ expect }) => {
  expect(readVariables(Schema, { REDIS_URL: 'redis://h', LIMIT: '3', SEED_FILE: '', OTHER: 'x' })).toEqual({
    REDIS_URL: 'redis://h',
    LIMIT: 3,
    COMPAT: 'aldea',
  })
})

test('names every problem at once and no value', ({ expect }) => {
  expect(() => readVariables(Schema, { LIMIT: 'many', COMPAT: 'secret' })).toThrow(
    'Environment variables are wrong: REDIS_URL is missing; LIMIT must be integer; COMPAT must be aldea or deepgram.',
  )
})
