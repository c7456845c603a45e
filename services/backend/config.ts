import { type Static, Type } from 'typebox'
import type { Variables } from '../wire/runtime.ts'
import { readVariables } from '../wire/variables.ts'

const BackendVariables = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', description: 'PostgreSQL: accounts and the ledger.' }),
  REDIS_URL: Type.String({ pattern: '^rediss?://', description: 'Redis: what the proxies check, and usage events.' }),
  ADMIN_TOKEN: Type.String({ minLength: 1, description: 'Bearer token that all routes but /health ask for.' }),
  SEED_FILE: Type.Optional(Type.String({ description: 'JSON file of an organisation that is there from the start.' })),
})

export type BackendConfig = Static<typeof BackendVariables>

/** @throws Error naming every variable that is missing or wrong. */
export function parseConfig(variables: Variables): BackendConfig {
  return readVariables(BackendVariables, variables)
}
