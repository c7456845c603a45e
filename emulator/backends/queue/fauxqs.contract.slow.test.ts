import { buildApp } from 'fauxqs'
import { queueContract } from './contract.ts'
import { REFUSAL_CODES } from './contract/refusals.ts'

/** An independent implementation: what both do alike is less likely to be a mistake of ours. Only tests start it. */
queueContract({
  name: 'fauxqs',
  // docs/fidelity.md says why.
  differences: [
    'a queue is encrypted by default',
    'no queue attribute is returned when none was asked for',
    'a queue is found by its name, at an address that can be reached',
    'queues are listed in pages',
    'characters beyond the first 65,536 are text like others',
    'the MD5 of a received message covers the attributes that were asked for',
    'no attribute is returned that was not asked for',
    'a trace header travels as a system attribute',
    'a group id is accepted on a standard queue',
    'a batch answers for each entry: good ones are sent, a bad one is named',
    'a batch of deletions deletes what it can and names the rest',
    'a client that is gone takes no message with it',
    'messages of one group are received in order, several in one call',
    'duplicates are told apart by queue, or by group where the queue says so',
    'a receive that is repeated with its attempt id gets the same messages',
    'a handle whose visibility has run out deletes nothing',
    'a dead letter names the queue that it came from',
    'a dead-letter queue lists its sources',
    'a standard queue is no dead-letter queue for a FIFO queue',
    'a queue says who may use it for dead letters',
    'dead letters are moved back to their source',
    'dead letters are moved to another queue',
    'a moved message has a new id',
    'a finished task is listed with its count',
    'a running task is cancelled and leaves the rest where it is',
    'conformance 23: the JSON protocol answers with its own content type and a request id',
    'conformance 23: what is sent by query is received by JSON, attributes included',
    'conformance 23: what is sent by JSON is received by query, attributes included',
    'the query protocol has batches, lists and maps',
    'the query protocol works by GET, and on the address of the queue',
    'the host of a queue URL does not matter',
    'a queue that was deleted within the last 60 s is refused',
    'a second purge within 60 s is refused',
    'a name with other characters is refused',
    'a name of 81 characters is refused',
    'an attribute that queues do not have is refused',
    'a delay above 15 minutes is refused',
    'more than ten attributes of a message is refused',
    'an attribute of a message with an unknown type is refused',
    'a handle that is none is refused',
    'a new visibility timeout of a message that is visible is refused',
    'a permission is a statement of the policy, until it is removed',
    'a permission leaves the rest of a policy as it is',
    'a permission with a label that is there already is refused',
    ...REFUSAL_CODES,
  ],
  async start() {
    const app = buildApp({ logger: false })
    const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
    return { endpoint, stop: () => app.close() }
  },
})
