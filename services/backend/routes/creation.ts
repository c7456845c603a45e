import { createHash, createHmac } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ClientBase } from 'pg'
import { transaction } from '../../account/postgres.ts'
import { ApiError } from '../../wire/api-error.ts'
import { claimKey, storeAnswer } from '../database/idempotency.ts'
import type { RouteDeps } from './route.ts'

const KEPT_MS = 24 * 60 * 60 * 1_000
const KEY = /^[\x21-\x7e]{1,255}$/
const REPLAY_HEADER = 'idempotency-replayed'

/** A POST that creates something. */
export interface Creation<T> {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Whose idempotency keys these are: the id of the actor. */
  readonly scope: string
  /** All of it, or nothing. */
  create(client: ClientBase): Promise<T>
  /** What may be stored of the answer, and is given to whoever repeats the request. */
  withoutSecrets(answer: T): T
}

/**
 * Creates in one transaction and answers 201. With an Idempotency-Key the answer is stored by the same transaction, and
 * a repeated request gets it again for 24 hours, without the secrets: they are shown once and kept nowhere, so whoever
 * lost an answer with a secret in it makes a new one.
 * @throws ApiError 422 when the key came with another request before.
 */
export async function createOnce<T>({ pool, clock }: RouteDeps, creation: Creation<T>): Promise<T> {
  const { request, reply, scope, create, withoutSecrets } = creation
  reply.code(201)
  const key = keyOf(request)
  if (key === undefined) return transaction(pool, create)

  const at = clock.now()
  const fingerprint = fingerprintOf(key, request)
  const claim = { scope, keyHash: createHash('sha256').update(key).digest('hex'), fingerprint }
  return transaction(pool, async (client) => {
    const before = await claimKey(client, { ...claim, at: new Date(at), forgetBefore: new Date(at - KEPT_MS) })
    if (!before) {
      const answer = await create(client)
      await storeAnswer(client, claim, withoutSecrets(answer))
      return answer
    }
    if (before.fingerprint !== fingerprint) {
      throw new ApiError(422, 'This Idempotency-Key came with another request before.')
    }
    reply.header(REPLAY_HEADER, 'true')
    // It was stored by the same route: the fingerprint holds the path.
    return before.answer as T
  })
}

function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && KEY.test(key)) return key
  throw new ApiError(400, 'Idempotency-Key must be 1 to 255 visible ASCII characters.')
}

/** Made with the key itself, which is not stored: a password in the body cannot be guessed from it. */
function fingerprintOf(key: string, { method, url, body }: FastifyRequest): string {
  return createHmac('sha256', key)
    .update(`${method} ${url}\n${JSON.stringify(body)}`)
    .digest('hex')
}
