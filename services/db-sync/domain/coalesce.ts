/** One row of the outbox. */
export interface OutboxRow {
  readonly sequence: number
  readonly organisation: string
  readonly version: number
}

/** An organisation that has changed, and how far. */
export interface Change {
  readonly organisation: string
  /** The newest one known; what is told of it covers all older ones. */
  readonly version: number
}

/** One change for each organisation, in the order in which they first changed. */
export function coalesce(rows: readonly OutboxRow[]): Change[] {
  const newest = new Map<string, number>()
  for (const { organisation, version } of rows) {
    newest.set(organisation, Math.max(version, newest.get(organisation) ?? 0))
  }
  return Array.from(newest, ([organisation, version]) => ({ organisation, version }))
}
