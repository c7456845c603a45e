import type { UsageEvent } from '../../account/metering.ts'

/** An event as the ledger has it. Proxies of earlier versions named no path. */
export type RecordedUsage = Omit<UsageEvent, 'path'> & { readonly path: string | undefined }

/** More than a year of audio in one request, and far below what the ledger's column can hold. */
const MAX_SECONDS = 1e8
const MAX_TEXT_LENGTH = 256

/**
 * Reads the fields of an entry of the usage stream: names and values in turn.
 * @throws Error naming the first field that is wrong.
 */
export function parseUsageEntry(fields: readonly string[]): RecordedUsage {
  const values = new Map<string, string>()
  for (let index = 0; index + 1 < fields.length; index += 2) values.set(fields[index] ?? '', fields[index + 1] ?? '')

  function text(name: string): string {
    const value = values.get(name) ?? ''
    // PostgreSQL takes no NUL.
    if (value === '' || value.length > MAX_TEXT_LENGTH || value.includes('\0')) throw new Error(`${name} is no name`)
    return value
  }

  /** What was used counts, wherever it was: a path that is none is no reason to drop the event. */
  function path(): string | undefined {
    const value = values.get('path') ?? ''
    return value.length <= MAX_TEXT_LENGTH && PATH.test(value) ? value : undefined
  }

  function seconds(): number {
    const value = text('seconds')
    if (!/^\d+(\.\d+)?$/.test(value) || Number(value) > MAX_SECONDS) throw new Error('seconds is no duration')
    return Number(value)
  }

  function kind(): UsageEvent['kind'] {
    const value = text('kind')
    if (value !== 'file' && value !== 'stream') throw new Error('kind is neither file nor stream')
    return value
  }

  function at(): number {
    const value = text('at')
    const atMs = INSTANT.test(value) ? Date.parse(value) : Number.NaN
    if (Number.isNaN(atMs)) throw new Error('at is no time')
    return atMs
  }

  return {
    id: text('id'),
    organisation: text('organisation'),
    keyHash: text('key'),
    kind: kind(),
    path: path(),
    seconds: seconds(),
    at: at(),
  }
}

/** Of a URL (RFC 3986 §3.3), without a query. */
const PATH = /^\/[\w.~!$&'()*+,;=:@%/-]*$/
/** ISO 8601 in UTC. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
