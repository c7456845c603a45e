import { type Static, Type } from 'typebox'
import type { Limits } from '../../account/limits.ts'
import type { StoredKey } from '../database/keys.ts'
import type { Organisation } from '../database/organisations.ts'
import type { User } from '../database/users.ts'

/** Part of names in Redis, so no colon; part of paths, so nothing that needs escaping. */
export const OrganisationId = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
/** Halves of characters, which are no text (RFC 8259 §8.2): PostgreSQL takes none in JSON. */
const SURROGATES = '\\ud800-\\udfff'
/** For people: no control characters, of which PostgreSQL refuses one. */
export const DisplayName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: `^[^\\u0000-\\u001f${SURROGATES}]+$`,
})

/** Counts of limits, as wide as Redis and PostgreSQL take them alike. */
const Count = Type.Integer({ minimum: 0, maximum: 999_999_999 })

export const LimitsShape = Type.Object(
  {
    maxConnections: Count,
    /** Absent: as many as the organisation likes. */
    requestsPerMinute: Type.Optional(Count),
  },
  { additionalProperties: false },
)

export const Instant = Type.String({ description: 'ISO 8601, UTC.' })

export const OrganisationShape = Type.Object({
  id: OrganisationId,
  name: Type.String(),
  createdAt: Instant,
  limits: LimitsShape,
})

export const KeyShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String({ description: 'The first characters of the key.' }),
  createdAt: Instant,
  revokedAt: Type.Optional(Instant),
})

export const CreatedKeyShape = Type.Object({
  ...KeyShape.properties,
  key: Type.Optional(
    Type.String({ description: 'Shown once, kept nowhere; not in the answer to a repeated request.' }),
  ),
})

export const OrganisationParams = Type.Object({ id: OrganisationId })

/** Any that has an @: whether mail arrives there, only mail can tell. Read in lower case. */
export const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: `^[^\\s@\\u0000-\\u001f${SURROGATES}]+@[^\\s@\\u0000-\\u001f${SURROGATES}]+$`,
})
/** Length is all that is asked for (NIST SP 800-63B). */
export const Password = Type.String({ minLength: 8, maxLength: 256 })
export const RoleShape = Type.Union([
  Type.Literal('owner'),
  Type.Literal('admin'),
  Type.Literal('member'),
  Type.Literal('viewer'),
])

export const UserShape = Type.Object({ id: Type.String(), email: Type.String(), createdAt: Instant })

export const SessionShape = Type.Object({
  token: Type.Optional(
    Type.String({ description: 'Bearer token, also set as a cookie; not in the answer to a repeated request.' }),
  ),
  expiresAt: Instant,
})

export function fromUser({ id, email, createdAt }: Omit<User, 'passwordHash'>): Static<typeof UserShape> {
  return { id, email, createdAt: createdAt.toISOString() }
}

/** What is stored and replayed of an answer that shows a key. */
export function withoutKey<T extends { readonly key?: string }>({ key: _key, ...rest }: T): Omit<T, 'key'> {
  return rest
}

export function toLimits({ maxConnections, requestsPerMinute }: Static<typeof LimitsShape>): Limits {
  return { maxConnections, requestsPerMinute }
}

export function fromOrganisation(organisation: Organisation): Static<typeof OrganisationShape> {
  const { id, name, createdAt, limits } = organisation
  return { id, name, createdAt: createdAt.toISOString(), limits: fromLimits(limits) }
}

export function fromLimits({ maxConnections, requestsPerMinute }: Limits): Static<typeof LimitsShape> {
  return { maxConnections, ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }) }
}

export function fromKey({ id, name, prefix, createdAt, revokedAt }: StoredKey): Static<typeof KeyShape> {
  return {
    id,
    name,
    prefix,
    createdAt: createdAt.toISOString(),
    ...(revokedAt && { revokedAt: revokedAt.toISOString() }),
  }
}

/** Money: millionths of a dollar, within what a double holds exactly. */
export const MicroDollars = Type.Integer({ description: 'Millionths of a US dollar.' })
