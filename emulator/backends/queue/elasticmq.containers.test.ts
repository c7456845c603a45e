import { containerQueue } from './container.ts'
import { queueContract } from './contract.ts'
import { serveAdapter } from './contract/adapter-server.ts'
import { REFUSAL_CODES } from './contract/refusals.ts'

/** A second independent implementation, and the container form of the queue: as the product starts it, behind its endpoint. */
queueContract({
  name: 'ElasticMQ',
  // docs/fidelity.md says why.
  differences: [
    'a queue has the defaults of AWS',
    'a queue is encrypted by default',
    'retention, size limit and policy are kept',
    'a FIFO queue says so, with its scopes',
    'queues are listed in pages',
    'the MD5 of a received message covers the attributes that were asked for',
    'attributes count for the size of a message',
    'the size limit of a queue holds',
    'a deleted message never comes again, and deleting it twice is no error',
    'a long poll without a message ends empty, without the key Messages',
    'a client that is gone takes no message with it',
    'duplicates are told apart by queue, or by group where the queue says so',
    'sequence numbers have twenty digits and grow',
    'a handle whose visibility has run out deletes nothing',
    'a standard queue is no dead-letter queue for a FIFO queue',
    'a queue says who may use it for dead letters',
    'a moved message has a new id',
    'a finished task is listed with its count',
    'a running task is cancelled and leaves the rest where it is',
    'conformance 23: the JSON protocol answers with its own content type and a request id',
    'an unknown action is refused in the query protocol',
    'a queue that was deleted within the last 60 s is refused',
    'a second purge within 60 s is refused',
    'an attribute that queues do not have is refused',
    'a visibility timeout of a queue above twelve hours is refused',
    'no queue URL is refused',
    'a new visibility timeout of a message that is visible is refused',
    'a visibility timeout of a message above twelve hours is refused',
    'a batch without entries is refused',
    'a batch with an id of other characters is refused',
    'a move task for a queue that no queue uses for dead letters is refused',
    'a permission is a statement of the policy, until it is removed',
    'a permission leaves the rest of a policy as it is',
    'a permission with a label that is there already is refused',
    'a permission for what only the owner may do is refused',
    'a permission for more than seven actions is refused',
    'a permission for an account that is none is refused',
    'removing a permission that is not there is refused',
    ...REFUSAL_CODES,
  ],
  start: () => serveAdapter(containerQueue()),
})
