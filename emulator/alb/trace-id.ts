import type { Ids } from '../../services/wire/runtime.ts'

/** Beyond it the balancer keeps the root alone (aws-behaviour §1.10). */
const MAX_LENGTH = 7 * 1024
const FIELD = /^[\w-]+=[^;,\s]+$/

const ID_BYTES = 12
/** One call for chance costs about as much for many ids as for one. */
const IDS_AT_ONCE = 128

/** Writes the `X-Amzn-Trace-Id` for the target from the client's one. */
export type TraceIds = (received: string | undefined, nowMs: number) => string

/** A fresh root, or the client's fields with a fresh `Self` before them. */
export function createTraceIds(ids: Ids): TraceIds {
  let pool = ''
  let used = 0
  let epochSeconds = 0
  let epoch = ''

  return (received, nowMs) => {
    const fields = received === undefined ? undefined : parseFields(received)
    if (!fields) return `Root=${freshId(nowMs)}`
    if (received && received.length > MAX_LENGTH) return fields.find(isRoot) ?? ''
    return [`Self=${freshId(nowMs)}`, ...fields].join(';')
  }

  function freshId(nowMs: number): string {
    if (used === pool.length) {
      pool = ids.hex(ID_BYTES * IDS_AT_ONCE)
      used = 0
    }
    const chance = pool.slice(used, used + ID_BYTES * 2)
    used += ID_BYTES * 2
    const seconds = Math.floor(nowMs / 1000)
    if (seconds !== epochSeconds) {
      epochSeconds = seconds
      epoch = seconds.toString(16).padStart(8, '0')
    }
    return `1-${epoch}-${chance}`
  }
}

/** The fields without `Self`; undefined when the value makes no sense or has no root. */
function parseFields(received: string): string[] | undefined {
  const fields = received
    .split(';')
    .map((field) => field.trim())
    .filter((field) => field !== '')
  if (!fields.some(isRoot) || !fields.every((field) => FIELD.test(field))) return undefined
  return fields.filter((field) => !field.startsWith('Self='))
}

function isRoot(field: string): boolean {
  return field.startsWith('Root=')
}
