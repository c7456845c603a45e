import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { toUnavailable } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { Runtime } from '../../wire/runtime.ts'
import { carriesToken } from '../domain/admin-token.ts'
import type { WriteThrough } from '../write-through.ts'
import { createKeyRoute } from './create-key.ts'
import { createOrganisationRoute } from './create-organisation.ts'
import { listKeysRoute } from './list-keys.ts'
import { listOrganisationsRoute } from './list-organisations.ts'
import { revokeKeyRoute } from './revoke-key.ts'
import { type SchemaApi, withSchemas } from './schemas.ts'
import { setLimitsRoute } from './set-limits.ts'
import { usageRoute } from './usage.ts'

/** What the routes of the platform work with. */
export interface AdminDeps extends Pick<Runtime, 'clock' | 'ids'> {
  readonly adminToken: string
  readonly pool: Pool
  readonly writeThrough: WriteThrough
}

/** Everything that needs the admin token. */
export async function adminApi(scope: FastifyInstance, deps: AdminDeps): Promise<void> {
  scope.addHook('onRequest', async ({ headers }) => {
    if (!carriesToken(headers.authorization, deps.adminToken)) throw new ApiError(401, 'The admin token is needed.')
  })
  // What is thrown here goes on to the handler outside, which words it.
  scope.setErrorHandler<Error>((error) => {
    throw toUnavailable(error) ?? error
  })
  const api = withSchemas(scope)
  for (const addRoute of ROUTES) addRoute(api, deps)
}

const ROUTES: readonly ((api: SchemaApi, deps: AdminDeps) => void)[] = [
  createOrganisationRoute,
  listOrganisationsRoute,
  setLimitsRoute,
  createKeyRoute,
  listKeysRoute,
  revokeKeyRoute,
  usageRoute,
]

export function unknownOrganisation(id: string): ApiError {
  return new ApiError(404, `There is no organisation ${id}.`)
}
