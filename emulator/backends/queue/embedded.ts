import { join } from 'node:path'
import { createAnswer } from './embedded/answer.ts'
import { createHandler } from './embedded/handler.ts'
import { type PeekedMessage, type QueueInspection, inspectQueues, peekMessages } from './embedded/inspect.ts'
import { makeQueue, setAttributes } from './embedded/queues.ts'
import { createIntrospection } from './embedded/introspection.ts'
import { createSource } from './embedded/source.ts'
import { type Store, arnOf, openStore } from './embedded/store.ts'
import type { QueueAdapter, QueueBackend, QueueContext, QueueSpec } from './port.ts'

/** Queues in this process that can be looked at without receiving from them. */
export interface EmbeddedQueueBackend extends QueueBackend {
  inspect(): readonly QueueInspection[]
  peek(queue: string, max: number): readonly PeekedMessage[]
}

export interface EmbeddedQueueAdapter extends QueueAdapter {
  start(context: QueueContext): Promise<EmbeddedQueueBackend>
}

/** SQS in this process: both protocols, a journal in the state folder, time from the clock it is given. */
export function embeddedQueue(): EmbeddedQueueAdapter {
  return {
    name: 'embedded',
    probe: () => Promise.resolve({ available: true, what: 'SQS in this process' }),
    start: (context) => Promise.resolve(startEmbedded(context)),
  }
}

const JOURNAL = 'queues.jsonl'

function startEmbedded({ stateDir, region, queues, clock, ids, log }: QueueContext): EmbeddedQueueBackend {
  const store = openStore({ clock, ids, region, journalPath: join(stateDir, JOURNAL) })
  for (const spec of queues) ensureQueue(store, spec)
  const answer = createAnswer(store, log)
  let isStopped = false
  return {
    detail: 'SQS in this process, JSON and query protocol',
    answer,
    handler: createHandler(answer),
    introspection: createIntrospection(store),
    source: (queue) => createSource(store, queue),
    inspect: () => inspectQueues(store),
    peek: (queue, max) => peekMessages(store, queue, max),
    stop() {
      if (!isStopped) store.journal.close()
      isStopped = true
      return Promise.resolve()
    },
  }
}

/** A queue that the journal has already keeps its messages and takes the attributes of the specification. */
function ensureQueue(store: Store, { name, attributes, deadLetterQueue }: QueueSpec): void {
  if (deadLetterQueue) ensureQueue(store, { name: deadLetterQueue.name, attributes: sameKind(name) })
  const redrive = deadLetterQueue && {
    deadLetterTargetArn: arnOf(store.region, deadLetterQueue.name),
    maxReceiveCount: deadLetterQueue.maxReceiveCount,
  }
  const wanted: Record<string, string> = {
    ...attributes,
    ...sameKind(name),
    ...(redrive ? { RedrivePolicy: JSON.stringify(redrive) } : {}),
  }
  const existing = store.queues.get(name)
  if (!existing) {
    store.resting.delete(name)
    makeQueue(store, name, wanted, {})
    return
  }
  const changes = { ...wanted }
  delete changes['FifoQueue']
  if (Object.entries(changes).some(([key, value]) => existing.attributes[key] !== value)) {
    setAttributes(store, existing, changes)
  }
}

function sameKind(name: string): Record<string, string> {
  return name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
}
