import { hashKey } from '../../account/keys.ts'
import type { Ids } from '../../wire/runtime.ts'

/** 192 bits of chance: 32 URL-safe characters. */
const RANDOM_BYTES = 24
/** `org_` and four characters: enough to tell keys apart, too little to guess the rest. */
const PREFIX_LENGTH = 8

export interface KeySecret {
  /** Shown once, kept nowhere. */
  readonly key: string
  readonly hash: string
  readonly prefix: string
}

export function createKey(ids: Pick<Ids, 'hex'>): KeySecret {
  return toKeySecret(`org_${Buffer.from(ids.hex(RANDOM_BYTES), 'hex').toString('base64url')}`)
}

export function toKeySecret(key: string): KeySecret {
  return { key, hash: hashKey(key), prefix: key.slice(0, PREFIX_LENGTH) }
}
