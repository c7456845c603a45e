import type { Ids } from '../../services/wire/runtime.ts'

/** Beyond it the balancer keeps the root alone (aws-behaviour §1.10). */
const MAX_LENGTH = 7 * 1024
const FIELD = /^[\w-]+=[^;,\s]+$/

/** The `X-Amzn-Trace-Id` for the target: a fresh root, or the client's fields with a fresh `Self` before them. */
export function toTraceId(received: string | undefined, nowMs: number, ids: Ids): string {
  const fields = received === undefined ? undefined : parseFields(received)
  if (!fields) return `Root=${freshId(nowMs, ids)}`
  if (received && received.length > MAX_LENGTH) return fields.find(isRoot) ?? ''
  return [`Self=${freshId(nowMs, ids)}`, ...fields].join(';')
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

function freshId(nowMs: number, ids: Ids): string {
  const seconds = Math.floor(nowMs / 1000)
  return `1-${seconds.toString(16).padStart(8, '0')}-${ids.hex(12)}`
}
