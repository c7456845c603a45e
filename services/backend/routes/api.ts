import fastifyCookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { toUnavailable } from '../../account/postgres.ts'
import { authenticate } from './authentication.ts'
import type { RouteEntry, RouteSchema } from '../openapi/document.ts'
import { addOpenApi } from '../openapi/routes.ts'
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
  // Bodies are JSON; the framework would take text as well.
  app.removeContentTypeParser('text/plain')
  await app.register(fastifyCookie)
  const table: RouteEntry[] = []
  await app.register(async (scope) => {
    keepTable(scope, table, true)
    addRoutes(scope, deps, OPEN_ROUTES)
  })
  await app.register(async (scope) => {
    keepTable(scope, table, false)
    scope.addHook('onRequest', async (request) => {
      request.actor = await authenticate(request, deps)
    })
    addRoutes(scope, deps, SIGNED_IN_ROUTES)
  })
  addOpenApi(app, table)
}

/** Writes every route that is added to the scope into the table. */
function keepTable(scope: FastifyInstance, table: RouteEntry[], isOpen: boolean): void {
  scope.addHook('onRoute', ({ method, url, schema }) => {
    // The framework adds HEAD to every GET by itself.
    if (typeof method !== 'string' || method === 'HEAD') return
    // All routes here are made by withSchemas, which takes no other schemas.
    table.push({ method, path: url, isOpen, schema: (schema ?? {}) as RouteSchema })
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
