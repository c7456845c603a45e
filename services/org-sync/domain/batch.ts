import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** A batch of messages, read. */
export interface Batch {
  /** Each once, however many messages name it. */
  readonly organisations: readonly string[]
  readonly poison: readonly Poison[]
}

/** A message that no retry makes any better. */
export interface Poison {
  readonly messageId: string
  /** Its beginning. */
  readonly body: string
}

const SqsEvent = Type.Object({
  Records: Type.Array(Type.Object({ messageId: Type.String(), body: Type.String() })),
})

/** An id as the database takes it: one that it cannot take would fail the messages beside it. */
const ChangeMessage = Type.Object({
  organisation: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }),
  version: Type.Integer({ minimum: 0 }),
})

const SHOWN_LENGTH = 200

/** @throws Error for an event that comes from no queue. */
export function readBatch(event: unknown): Batch {
  if (!Value.Check(SqsEvent, event)) throw new Error('The event must be a batch of messages of a queue.')
  const organisations = new Set<string>()
  const poison: Poison[] = []
  for (const { messageId, body } of event.Records) {
    const message = parse(body)
    if (Value.Check(ChangeMessage, message)) organisations.add(message.organisation)
    else poison.push({ messageId, body: body.slice(0, SHOWN_LENGTH) })
  }
  return { organisations: [...organisations], poison }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
