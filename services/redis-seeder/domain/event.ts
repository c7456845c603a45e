import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

/** What is to be copied. */
export type SeedEvent = SeedAll | SeedOne

export interface SeedAll extends SeedOptions {
  readonly kind: 'all'
  /** The `next` of an answer: where to go on. */
  readonly after: string | undefined
}

export interface SeedOne extends SeedOptions {
  readonly kind: 'one'
  readonly organisation: string
}

interface SeedOptions {
  /** Says what would be done, and does nothing. */
  readonly isDryRun: boolean
  /** Overwrites what Redis has of a newer version, which it has after the database was replaced by an older one. */
  readonly force: boolean
}

const Options = { dry_run: Type.Optional(Type.Boolean()), force: Type.Optional(Type.Boolean()) }
/** An id, as the database takes it. */
const Id = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
const strict = { additionalProperties: false }

const All = Type.Object(
  {
    seed_all: Type.Literal(true),
    after: Type.Optional(Type.String({ pattern: '^(sweep:[0-9]+|[a-z0-9][a-z0-9_-]{0,62})$' })),
    ...Options,
  },
  strict,
)
const One = Type.Object({ organisation: Id, ...Options }, strict)
const OneById = Type.Object({ organisation_id: Id, ...Options }, strict)

/** @throws Error saying what an event looks like. */
export function parseEvent(event: unknown): SeedEvent {
  if (Value.Check(All, event)) return { kind: 'all', after: event.after, ...optionsOf(event) }
  if (Value.Check(One, event)) return { kind: 'one', organisation: event.organisation, ...optionsOf(event) }
  if (Value.Check(OneById, event)) return { kind: 'one', organisation: event.organisation_id, ...optionsOf(event) }
  throw new Error(
    `The event must be {"seed_all": true} or {"organisation": "<id>"}, with "dry_run", "force" and "after" as they are needed; it is ${shown(event)}.`,
  )
}

function optionsOf({ dry_run: isDryRun = false, force = false }: Partial<Static<typeof One>>): SeedOptions {
  return { isDryRun, force }
}

const SHOWN_LENGTH = 200

function shown(event: unknown): string {
  const text = JSON.stringify(event) ?? 'nothing'
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
}
