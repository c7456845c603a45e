import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** What is to be copied. */
export type SeedEvent = { readonly kind: 'all' } | { readonly kind: 'one'; readonly organisation: string }

const All = Type.Object({ seed_all: Type.Literal(true) }, { additionalProperties: false })
const One = Type.Object({ organisation: Type.String({ minLength: 1 }) }, { additionalProperties: false })

/** @throws Error saying what an event looks like. */
export function parseEvent(event: unknown): SeedEvent {
  if (Value.Check(All, event)) return { kind: 'all' }
  if (Value.Check(One, event)) return { kind: 'one', organisation: event.organisation }
  throw new Error(`The event must be {"seed_all": true} or {"organisation": "<id>"}; it is ${shown(event)}.`)
}

const SHOWN_LENGTH = 200

function shown(event: unknown): string {
  const text = JSON.stringify(event) ?? 'nothing'
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
}
