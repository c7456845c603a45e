import type { ClientBase } from 'pg'
import type { Limits } from '../account/limits.ts'
import { ApiError } from '../wire/api-error.ts'
import type { Ids } from '../wire/runtime.ts'
import { recordDeed } from './database/audit-log.ts'
import { insertKey, type NewKeyRow } from './database/keys.ts'
import { insertMembership } from './database/memberships.ts'
import { insertOrganisation, type Organisation } from './database/organisations.ts'
import type { Actor } from './domain/actor.ts'
import { createKey } from './domain/new-key.ts'

export interface OpenedOrganisation {
  readonly organisation: Organisation
  readonly keyRow: NewKeyRow
  /** The key itself, to be shown once. */
  readonly key: string
}

/**
 * An organisation gets its first key with its creation; the user who opens it becomes its owner.
 * @throws ApiError 409 when there is one with this id already.
 */
export async function openOrganisation(
  client: ClientBase,
  actor: Pick<Actor, 'id' | 'name' | 'kind'>,
  {
    id,
    name,
    limits,
    at,
    ids,
  }: {
    readonly id: string | undefined
    readonly name: string
    readonly limits: Limits
    readonly at: Date
    readonly ids: Ids
  },
): Promise<OpenedOrganisation> {
  const organisation = { id: id ?? ids.uuid(), name, createdAt: at, limits }
  const { key, hash, prefix } = createKey(ids)
  const keyRow = { id: ids.uuid(), organisation: organisation.id, name, hash, prefix, createdAt: at }

  const isNew = await insertOrganisation(client, organisation)
  if (!isNew) throw new ApiError(409, `There is an organisation ${organisation.id} already.`)
  await insertKey(client, keyRow)
  const deed = { actor, organisation: organisation.id, at }
  await recordDeed(client, { ...deed, action: 'organisation.created', target: organisation.id, details: { name } })
  await recordDeed(client, { ...deed, action: 'key.created', target: keyRow.id, details: { name } })
  if (actor.kind === 'user') {
    await insertMembership(client, { organisation: organisation.id, user: actor.id, role: 'owner', createdAt: at })
    const details = { email: actor.name, role: 'owner' }
    await recordDeed(client, { ...deed, action: 'member.added', target: actor.id, details })
  }
  return { organisation, keyRow, key }
}
