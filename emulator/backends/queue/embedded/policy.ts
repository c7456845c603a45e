import type { Input } from './action.ts'
import { isObject } from './input.ts'
import type { Queue } from './queue.ts'
import { setAttributes } from './queues.ts'
import type { Store } from './store.ts'

/** A queue's access policy, apart from its statements. */
export interface Policy {
  readonly frame: Input
  readonly statements: readonly Input[]
}

/** The policy that a queue has, or the one that its first permission makes. */
export function readPolicy(queue: Queue): Policy {
  const text = queue.attributes['Policy']
  const policy: unknown = text === undefined ? undefined : JSON.parse(text)
  const { Statement: list, ...frame } = isObject(policy)
    ? policy
    : { Version: '2012-10-17', Id: `${queue.arn}/SQSDefaultPolicy`, Statement: [] }
  return { frame, statements: (Array.isArray(list) ? list : [list]).filter(isObject) }
}

/** Without a statement there is no policy. */
export function writePolicy(store: Store, queue: Queue, { frame, statements }: Policy): void {
  const policy = { ...frame, Statement: statements }
  setAttributes(store, queue, { Policy: statements.length === 0 ? '' : JSON.stringify(policy) })
}
