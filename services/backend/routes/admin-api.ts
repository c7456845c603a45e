import type { FastifyInstance } from 'fastify'
import { toUnavailable } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { carriesToken } from '../domain/admin-token.ts'
import type { AdminDeps } from './admin-route.ts'
import { createKeyRoute } from './create-key.ts'
import { createOrganisationRoute } from './create-organisation.ts'
import { listKeysRoute } from './list-keys.ts'
import { listOrganisationsRoute } from './list-organisations.ts'
import { revokeKeyRoute } from './revoke-key.ts'
import { type SchemaApi, withSchemas } from './schemas.ts'
import { setLimitsRoute } from './set-limits.ts'
import { usageRoute } from './usage.ts'

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
