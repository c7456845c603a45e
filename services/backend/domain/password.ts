import { scrypt, timingSafeEqual } from 'node:crypto'
import type { Ids } from '../../wire/runtime.ts'

interface Cost {
  /** Rounds of mixing, a power of two. */
  readonly N: number
  readonly r: number
  readonly p: number
}

/** One of the equivalent settings that OWASP's password storage advice gives for scrypt: 16 MiB for each attempt. */
const COST: Cost = { N: 2 ** 14, r: 8, p: 5 }
const MAX_MEMORY_BYTES = 64 * 2 ** 20
const SALT_BYTES = 16
const HASH_BYTES = 32

/** `scrypt$N,r,p$salt$hash`: what is needed to check it, however the cost is set by then. */
const STORED = /^scrypt\$(\d+),(\d+),(\d+)\$([\w-]+)\$([\w-]+)$/

export async function hashPassword(password: string, ids: Pick<Ids, 'hex'>): Promise<string> {
  const salt = Buffer.from(ids.hex(SALT_BYTES), 'hex')
  const hash = await derive(password, salt, COST)
  return `scrypt$${COST.N},${COST.r},${COST.p}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** Takes as long for a user that does not exist, given as undefined, as for one that does. */
export async function checkPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, N, r, p, salt, expected] = STORED.exec(stored ?? '') ?? []
  if (salt === undefined || expected === undefined) {
    await derive(password, DECOY_SALT, COST)
    return false
  }
  const hash = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) })
  const wanted = Buffer.from(expected, 'base64url')
  return wanted.length === hash.length && timingSafeEqual(hash, wanted)
}

const DECOY_SALT = Buffer.alloc(SALT_BYTES)

function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same characters may come composed or decomposed, as the keyboard has it.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    )
  })
}
