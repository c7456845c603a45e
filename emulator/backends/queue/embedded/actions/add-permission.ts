import { type Action, NOTHING, queueOf } from '../action.ts'
import { invalid, missing } from '../errors.ts'
import { readTexts, requireText } from '../input.ts'
import { readPolicy, writePolicy } from '../policy.ts'

/** Kept in the queue's policy; nobody is refused here. */
export const addPermission: Action = (call, input) => {
  const queue = queueOf(call, input)
  const label = requireText(input, 'Label')
  const accounts = readTexts(input, 'AWSAccountIds')
  const actions = readTexts(input, 'Actions')
  if (accounts.length === 0) throw missing('AWSAccountIds')
  if (actions.length === 0) throw missing('Actions')
  const policy = readPolicy(queue)
  if (policy.statements.some((statement) => statement['Sid'] === label)) {
    throw invalid('Label', label, 'Already exists.')
  }
  writePolicy(call.store, queue, [
    ...policy.statements,
    {
      Sid: label,
      Effect: 'Allow',
      Principal: { AWS: accounts.map((account) => `arn:aws:iam::${account}:root`) },
      Action: actions.map((action) => `SQS:${action}`),
      Resource: queue.arn,
    },
  ])
  return NOTHING
}
