import { type Action, type Input, NOTHING, queueOf } from '../action.ts'
import { missing } from '../errors.ts'
import { changeVisibility } from '../handle.ts'
import { readInteger, requireText } from '../input.ts'

export const changeMessageVisibility: Action = (call, input) => {
  const queue = queueOf(call, input)
  changeVisibility(call.store, queue, requireText(input, 'ReceiptHandle'), requireSeconds(input))
  return NOTHING
}

export function requireSeconds(input: Input): number {
  const seconds = readInteger(input, 'VisibilityTimeout')
  if (seconds === undefined) throw missing('VisibilityTimeout')
  return seconds
}
