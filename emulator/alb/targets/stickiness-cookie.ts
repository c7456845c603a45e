import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import type { Clock } from '../../../services/wire/clock.ts'
import type { Ids } from '../../../services/wire/runtime.ts'

/**
 * The balancer's own cookies, as aws-behaviour §1.7 describes them: the value is opaque, holds until when it is good,
 * and cannot be made by anyone else.
 */
export interface StickinessCookies {
  /** One `Set-Cookie` value: `NAME=<base64>; Expires=<in 7 days>; Path=/`. */
  seal(name: string, value: string, durationSeconds: number): string
  /** The cookie and its twin, `NAME` and `NAMECORS`, which browsers send across sites too. */
  sealTwins(name: string, value: string, durationSeconds: number): readonly [string, string]
  /** What the cookie or its twin in a `Cookie` header says; undefined for none, a forged and an expired one. */
  open(cookieHeader: string | undefined, name: string): string | undefined
}

export interface StickinessCookieDeps {
  readonly clock: Clock
  readonly ids: Ids
  /** Cookies outlive a restart of the balancer where it is the same one. A new one each time when absent. */
  readonly secret?: string | undefined
}

/** Whatever the configured duration is; the balancer minds that one itself. */
const EXPIRES_AFTER_MS = 7 * 24 * 60 * 60 * 1000
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
/** The text is filled up to a multiple, so that a value has the length of AWS's: 144 characters for a task's id. */
const BLOCK_BYTES = 80
const FILLER = ' '

export function createStickinessCookies({ clock, ids, secret }: StickinessCookieDeps): StickinessCookies {
  const key = createHash('sha256')
    .update(secret ?? ids.hex(KEY_BYTES))
    .digest()

  function encrypt(name: string, value: string, durationSeconds: number): string {
    const text = `${clock.now() + durationSeconds * 1000} ${value}`
    const bytes = Buffer.byteLength(text)
    const padded = text + FILLER.repeat(Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES - bytes)
    const nonce = Buffer.from(ids.hex(NONCE_BYTES), 'hex')
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name))
    const sealed = [nonce, cipher.update(padded, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(sealed).toString('base64')
  }

  function decrypt(name: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64')
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }

  function openOne(cookieHeader: string, cookie: string, name: string): string | undefined {
    const sealed = readCookie(cookieHeader, cookie)
    const text = sealed === undefined ? undefined : decrypt(name, sealed)
    if (text === undefined) return undefined
    const end = text.indexOf(' ')
    return Number(text.slice(0, end)) > clock.now() ? text.slice(end + 1).trimEnd() : undefined
  }

  const toExpires = (): string => new Date(clock.now() + EXPIRES_AFTER_MS).toUTCString()

  return {
    seal: (name, value, durationSeconds) =>
      `${name}=${encrypt(name, value, durationSeconds)}; Expires=${toExpires()}; Path=/`,
    sealTwins(name, value, durationSeconds) {
      const rest = `${encrypt(name, value, durationSeconds)}; Expires=${toExpires()}; Path=/`
      return [`${name}=${rest}`, `${name}CORS=${rest}; SameSite=None; Secure`]
    },
    open(cookieHeader, name) {
      if (cookieHeader === undefined) return undefined
      return openOne(cookieHeader, name, name) ?? openOne(cookieHeader, `${name}CORS`, name)
    },
  }
}

/** The first cookie of that name in a `Cookie` header, as it stands there. */
export function readCookie(cookieHeader: string, name: string): string | undefined {
  for (let start = 0; start < cookieHeader.length;) {
    const semicolon = cookieHeader.indexOf(';', start)
    const end = semicolon === -1 ? cookieHeader.length : semicolon
    while (cookieHeader[start] === ' ') start += 1
    if (cookieHeader.startsWith(name, start) && cookieHeader[start + name.length] === '=') {
      return cookieHeader.slice(start + name.length + 1, end).trimEnd()
    }
    start = end + 1
  }
  return undefined
}
