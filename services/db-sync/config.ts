import { type Static, Type } from 'typebox'
import type { Variables } from '../wire/runtime.ts'
import { readVariables } from '../wire/variables.ts'

const HttpUrl = (description: string) => Type.Optional(Type.String({ pattern: '^https?://', description }))

const DbSyncVariables = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', description: 'PostgreSQL: who tells of changes.' }),
  QUEUE_URL: HttpUrl('SQS queue that is told of each change. Without it changes are copied to Redis right here.'),
  REDIS_URL: Type.Optional(
    Type.String({ pattern: '^rediss?://', description: 'Redis to copy to, or to watch for coming back empty.' }),
  ),
  SEEDER_FUNCTION_NAME: Type.Optional(Type.String({ description: 'Function that fills an empty Redis.' })),
  AWS_REGION: Type.String({ default: 'us-west-2' }),
  AWS_ENDPOINT_URL_SQS: HttpUrl('Where SQS is, when not in the cloud.'),
  AWS_ENDPOINT_URL_LAMBDA: HttpUrl('Where Lambda is, when not in the cloud.'),
  AWS_ACCESS_KEY_ID: Type.Optional(Type.String()),
  AWS_SECRET_ACCESS_KEY: Type.Optional(Type.String()),
  AWS_SESSION_TOKEN: Type.Optional(Type.String()),
})

export type DbSyncConfig = Static<typeof DbSyncVariables>

/** @throws Error naming every variable that is missing or wrong. */
export function parseConfig(variables: Variables): DbSyncConfig {
  const config = readVariables(DbSyncVariables, variables)
  if (config.QUEUE_URL || config.REDIS_URL) return config
  throw new Error('Environment variables are wrong: QUEUE_URL or REDIS_URL must say where changes go.')
}
