import { type Static, Type } from 'typebox'
import type { Variables } from '../wire/runtime.ts'
import { readVariables } from '../wire/variables.ts'

const OrgSyncVariables = Type.Object({
  DATABASE_URL: Type.String({
    pattern: '^postgres(ql)?://',
    description: 'PostgreSQL: where organisations come from.',
  }),
  REDIS_URL: Type.String({ pattern: '^rediss?://', description: 'Redis: where they go.' }),
})

export type OrgSyncConfig = Static<typeof OrgSyncVariables>

/** @throws Error naming every variable that is missing or wrong. */
export function parseConfig(variables: Variables): OrgSyncConfig {
  return readVariables(OrgSyncVariables, variables)
}
