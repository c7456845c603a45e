import { type Action, NOTHING, queueOf } from '../action.ts'
import { invalid } from '../errors.ts'
import { requireText } from '../input.ts'
import { readPolicy, writePolicy } from '../policy.ts'

export const removePermission: Action = (call, input) => {
  const queue = queueOf(call, input)
  const label = requireText(input, 'Label')
  const { frame, statements } = readPolicy(queue)
  const rest = statements.filter((statement) => statement['Sid'] !== label)
  if (rest.length === statements.length) {
    throw invalid('Label', label, "can't find label on existing policy.")
  }
  writePolicy(call.store, queue, { frame, statements: rest })
  return NOTHING
}
