import { type Action, NOTHING, queueOf } from '../action.ts'
import { QueueError, invalid, missing } from '../errors.ts'
import { readTexts, requireText } from '../input.ts'
import { readPolicy, writePolicy } from '../policy.ts'

/** Kept in the queue's policy; nobody is refused here. */
export const addPermission: Action = (call, input) => {
  const queue = queueOf(call, input)
  const label = requireText(input, 'Label')
  if (!LABEL.test(label)) {
    throw invalid(
      'Label',
      label,
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    )
  }
  const accounts = readTexts(input, 'AWSAccountIds')
  const actions = readTexts(input, 'Actions')
  if (accounts.length === 0) throw missing('AWSAccountIds')
  if (actions.length === 0) throw missing('Actions')
  checkPermission(accounts, actions)
  const { frame, statements } = readPolicy(queue)
  if (statements.some((statement) => statement['Sid'] === label)) throw invalid('Label', label, 'Already exists.')
  const added = {
    Sid: label,
    Effect: 'Allow',
    Principal: { AWS: oneOrAll(accounts.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: oneOrAll(actions.map((action) => `SQS:${action}`)),
    Resource: queue.arn,
  }
  writePolicy(call.store, queue, { frame, statements: [...statements, added] })
  return NOTHING
}

const LABEL = /^[\w-]{1,80}$/
const ACCOUNT = /^\d{12}$/
const MAX_ACTIONS = 7
/** What another account may be allowed; the rest is the owner's alone (developer guide, "Amazon SQS access policy"). */
const SHARED_ACTIONS: ReadonlySet<string> = new Set([
  '*',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
])

function checkPermission(accounts: readonly string[], actions: readonly string[]): void {
  const stranger = accounts.find((account) => !ACCOUNT.test(account))
  if (stranger !== undefined) throw invalid('PrincipalId', `[${stranger}]`, 'Unable to verify.')
  if (actions.length > MAX_ACTIONS) {
    throw new QueueError('OverLimit', `${actions.length} Actions were found, maximum allowed is ${MAX_ACTIONS}.`)
  }
  const refused = actions.find((action) => !SHARED_ACTIONS.has(action))
  if (refused === undefined) return
  throw invalid('ActionName', `SQS:${refused}`, 'Only the queue owner is allowed to invoke this action.')
}

/** A policy has a list only where there are several. */
function oneOrAll(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : values
}
