import type { RouteEntry } from './document.ts'

/** By status: when a route answers with it. */
export type Refusals = Readonly<Record<string, string>>

/** What a route may refuse, from what it takes; `schema.refusals` has what is its own. */
export function refusalsOf({ isOpen, schema }: RouteEntry): Refusals {
  const { params, querystring, body, response = {}, refusals } = schema
  const isCreation = '201' in response
  return {
    ...((params ?? querystring ?? body) && { 400: 'A parameter or the body does not fit its schema.' }),
    ...(!isOpen && { 401: 'Nobody is signed in: no token or cookie, or a session that has ended.' }),
    ...(!isOpen && params && { 403: 'The role does not allow this.' }),
    ...(params && { 404: 'It is not there, or it is another organisation’s.' }),
    ...(body && { 413: 'The body is longer than 64 KiB.', 415: 'The body is not JSON.' }),
    ...(isCreation && { 422: 'This Idempotency-Key came with another request before.' }),
    503: 'A database is away, or the server is shutting down. Retry-After says when to come back.',
    ...refusals,
  }
}
