import { request } from '../wire/undici.ts'
import { ClientError, refusal, unreachable } from './client-error.ts'
import { parseObject, toList, toObject } from './json.ts'

/** The backend's admin routes, as its owner sees them. */
export interface AdminTarget {
  /** Where the backend is: `http://127.0.0.1:8080`. */
  readonly url: string
  readonly adminToken: string
  readonly organisationId: string
}

/** A key as it may be shown: the key itself is known only when it is made. */
export interface KeySummary {
  readonly id: string
  readonly name: string
  /** The first characters of the key, to tell keys apart. */
  readonly prefix: string
  /** ISO-8601. */
  readonly createdAt: string
  /** ISO-8601; absent for a key in force. */
  readonly revokedAt?: string
}

export interface CreatedKey extends KeySummary {
  /** Shown once, kept nowhere. */
  readonly key: string
}

export async function listKeys(target: AdminTarget): Promise<readonly KeySummary[]> {
  const answer = await call(target, 'GET', '')
  return toList(answer['keys']).map((key) => toSummary(toObject(key)))
}

export async function createKey(target: AdminTarget, name: string): Promise<CreatedKey> {
  const answer = await call(target, 'POST', '', { name })
  const { key } = answer
  if (typeof key !== 'string') throw new ClientError('The backend made a key and did not show it.')
  return { ...toSummary(answer), key }
}

export async function revokeKey(target: AdminTarget, keyId: string): Promise<void> {
  await call(target, 'DELETE', `/${encodeURIComponent(keyId)}`)
}

async function call(
  { url, adminToken, organisationId }: AdminTarget,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const address = new URL(`/organisations/${encodeURIComponent(organisationId)}/keys${path}`, url)
  const { status, text } = await request(address, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).then(
    async (response) => ({ status: response.statusCode, text: await response.body.text() }),
    (error: unknown) => {
      throw unreachable(url, error)
    },
  )
  if (status < 200 || status > 299) throw refusal(status, text)
  return parseObject(text)
}

function toSummary(key: Readonly<Record<string, unknown>>): KeySummary {
  const { id, name, prefix, createdAt, revokedAt } = key
  if (typeof id !== 'string') throw new ClientError('The backend named a key without an id.')
  return {
    id,
    name: typeof name === 'string' ? name : '',
    prefix: typeof prefix === 'string' ? prefix : '',
    createdAt: typeof createdAt === 'string' ? createdAt : '',
    ...(typeof revokedAt === 'string' && { revokedAt }),
  }
}
