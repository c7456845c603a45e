import fastifyCookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { toUnavailable } from '../../account/postgres.ts'
import { authenticate } from './authentication.ts'
import { acceptInvitationRoute, invitationRoutes } from './invitations.ts'
import { addMemberRoute } from './add-member.ts'
import { memberRoutes } from './members.ts'
import { changePasswordRoute } from './change-password.ts'
import { createKeyRoute } from './create-key.ts'
import { createOrganisationRoute } from './create-organisation.ts'
import { limitsRoutes } from './limits.ts'
import { listAuditLogRoute } from './list-audit-log.ts'
import { listKeysRoute } from './list-keys.ts'
import { listOrganisationsRoute } from './list-organisations.ts'
import { meRoute } from './me.ts'
import { regenerateKeyRoute } from './regenerate-key.ts'
import { revokeKeyRoute } from './revoke-key.ts'
import type { AddRoute, RouteDeps } from './route.ts'
import { withSchemas } from './schemas.ts'
import { signInRoute } from './sign-in.ts'
import { signOutRoute } from './sign-out.ts'
import { signUpRoute } from './sign-up.ts'
import { creditRoutes } from './credit.ts'
import { invoicePreviewRoute } from './invoice-preview.ts'
import { planRoutes, plansRoute } from './plans.ts'
import { usageRoute } from './usage.ts'

/** No body here holds more than names. */
const BODY_LIMIT_BYTES = 64 * 1_024

/** All routes of the platform but /health. */
export async function addApi(app: FastifyInstance, deps: RouteDeps): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.bodyLimit = BODY_LIMIT_BYTES
  })
  await app.register(fastifyCookie)
  await app.register(async (scope) => addRoutes(scope, deps, OPEN_ROUTES))
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => {
      request.actor = await authenticate(request, deps)
    })
    addRoutes(scope, deps, SIGNED_IN_ROUTES)
  })
}

function addRoutes(scope: FastifyInstance, deps: RouteDeps, routes: readonly AddRoute[]): void {
  // What is thrown here goes on to the handler outside, which words it.
  scope.setErrorHandler<Error>((error) => {
    throw toUnavailable(error) ?? error
  })
  const api = withSchemas(scope)
  for (const addRoute of routes) addRoute(api, deps)
}

/** For everybody. */
const OPEN_ROUTES: readonly AddRoute[] = [signUpRoute, signInRoute, plansRoute]

/** For users with a session and for the owner of the platform. */
const SIGNED_IN_ROUTES: readonly AddRoute[] = [
  signOutRoute,
  meRoute,
  changePasswordRoute,
  createOrganisationRoute,
  listOrganisationsRoute,
  limitsRoutes,
  createKeyRoute,
  listKeysRoute,
  regenerateKeyRoute,
  revokeKeyRoute,
  addMemberRoute,
  memberRoutes,
  invitationRoutes,
  acceptInvitationRoute,
  usageRoute,
  listAuditLogRoute,
  planRoutes,
  creditRoutes,
  invoicePreviewRoute,
]
