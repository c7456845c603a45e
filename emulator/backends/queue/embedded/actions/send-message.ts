import { type Action, type Call, type Input, type Output, queueOf } from '../action.ts'
import { QueueError } from '../errors.ts'
import { isObject, readAttributes, readInteger, readText } from '../input.ts'
import { md5OfAttributes, md5OfText } from '../md5.ts'
import { type Draft, type Sent, readDelayMs, send } from '../send.ts'

export const sendMessage: Action = (call, input) => {
  const queue = queueOf(call, input)
  const draft = readDraft(call, input)
  return sentOutput(draft, send(call.store, queue, draft))
}

/** A message of SendMessage, or an entry of its batch. @throws QueueError */
export function readDraft({ isVerbatim }: Call, input: Input): Draft {
  return {
    body: readText(input, 'MessageBody') ?? '',
    isVerbatim,
    attributes: readAttributes(input, 'MessageAttributes'),
    delayMs: readDelayMs(readInteger(input, 'DelaySeconds')),
    groupId: readId(input, 'MessageGroupId'),
    deduplicationId: readId(input, 'MessageDeduplicationId'),
    traceHeader: readTraceHeader(input),
  }
}

/** MD5s are of what this request carries, also when a FIFO queue knew the message already. */
export function sentOutput({ body, attributes, traceHeader }: Draft, { messageId, sequenceNumber }: Sent): Output {
  const output: Record<string, string> = { MessageId: messageId, MD5OfMessageBody: md5OfText(body) }
  if (attributes) output['MD5OfMessageAttributes'] = md5OfAttributes(attributes)
  if (traceHeader !== undefined) {
    const system = { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } }
    output['MD5OfMessageSystemAttributes'] = md5OfAttributes(system)
  }
  if (sequenceNumber !== undefined) output['SequenceNumber'] = sequenceNumber
  return output
}

/** Characters of group and deduplication ids. */
const ID = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/

function readId(input: Input, name: string): string | undefined {
  const id = readText(input, name)
  if (id === undefined || ID.test(id)) return id
  throw new QueueError(
    'InvalidParameterValue',
    `Value ${id} for parameter ${name} is invalid. Reason: ${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  )
}

function readTraceHeader(input: Input): string | undefined {
  const system = input['MessageSystemAttributes']
  if (!isObject(system)) return undefined
  for (const name of Object.keys(system)) {
    if (name === 'AWSTraceHeader') continue
    throw new QueueError('InvalidParameterValue', `Message system attribute name '${name}' is invalid.`)
  }
  return readAttributes(input, 'MessageSystemAttributes')?.['AWSTraceHeader']?.StringValue
}
