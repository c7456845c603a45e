import { type Static, Type } from 'typebox'
import type { Variables } from '../wire/runtime.ts'
import { readVariables } from '../wire/variables.ts'

const DbSyncVariables = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', description: 'PostgreSQL: who tells of changes.' }),
})

export type DbSyncConfig = Static<typeof DbSyncVariables>

/** @throws Error naming every variable that is missing or wrong. */
export function parseConfig(variables: Variables): DbSyncConfig {
  return readVariables(DbSyncVariables, variables)
}
