import type { Input } from './action.ts'
import { isObject } from './input.ts'
import type { Queue } from './queue.ts'
import { setAttributes } from './queues.ts'
import type { Store } from './store.ts'

/** Statements of a queue's access policy. */
export function readPolicy(queue: Queue): { readonly statements: readonly Input[] } {
  const text = queue.attributes['Policy']
  const policy: unknown = text === undefined ? {} : JSON.parse(text)
  const list = isObject(policy) ? policy['Statement'] : undefined
  return { statements: (Array.isArray(list) ? list : [list]).filter(isObject) }
}

export function writePolicy(store: Store, queue: Queue, statements: readonly Input[]): void {
  const policy = { Version: '2008-10-17', Id: `${queue.arn}/SQSDefaultPolicy`, Statement: statements }
  setAttributes(store, queue, { Policy: statements.length === 0 ? '' : JSON.stringify(policy) })
}
