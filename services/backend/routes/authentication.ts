import type { FastifyRequest } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import { findSession } from '../database/sessions.ts'
import { type Actor, PLATFORM, type UserActor } from '../domain/actor.ts'
import { carriesToken } from '../domain/admin-token.ts'
import { hashToken } from '../domain/token.ts'
import type { RouteDeps } from './route.ts'
import { SESSION_COOKIE } from './session-cookie.ts'

/** Who sent a request, from its bearer token or else its session cookie. @throws ApiError 401. */
export async function authenticate(
  { headers, cookies }: FastifyRequest,
  { adminToken, pool, clock }: RouteDeps,
): Promise<Actor> {
  if (carriesToken(headers.authorization, adminToken)) return PLATFORM
  const [, bearer] = /^bearer +(\S+)$/i.exec(headers.authorization?.trim() ?? '') ?? []
  // A header that is there but wrong is not mended by a cookie: the client means the header.
  const token = headers.authorization === undefined ? cookies[SESSION_COOKIE] : bearer
  const user = token === undefined ? undefined : await findSession(pool, hashToken(token), new Date(clock.now()))
  if (!user) throw new ApiError(401, 'Nobody is signed in. The admin token is needed.')
  return user
}

/** Of the routes that are for users only. */
export const USERS_ONLY = 'The admin token belongs to no user.'

/** The user who sent a request. @throws ApiError 403 for the platform's owner, who is no user. */
export function userOf(actor: Actor): UserActor {
  if (actor.kind === 'user') return actor
  throw new ApiError(403, 'This is for users who are signed in; the admin token belongs to none.')
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a route that asks for somebody runs. */
    actor: Actor
  }
}
