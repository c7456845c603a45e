import { NOTHING } from './action.ts'
import { QueueError } from './errors.ts'
import { isObject } from './input.ts'
import type { Protocol, Request } from './protocol.ts'

/** AWS JSON 1.0: what today's SDKs speak. */
export const jsonProtocol: Protocol = {
  contentType: 'application/x-amz-json-1.0',
  success: (_action, output) => (output === NOTHING ? '' : JSON.stringify(output)),
  failure: ({ shape, message }) => JSON.stringify({ __type: shape, message }),
}

const TARGET = 'AmazonSQS.'

/** @param target the header X-Amz-Target. @throws QueueError */
export function parseJson(target: string, body: string): Request {
  const action = target.startsWith(TARGET) ? target.slice(TARGET.length) : ''
  return { protocol: jsonProtocol, action, input: body === '' ? {} : parseBody(body) }
}

function parseBody(body: string): Request['input'] {
  let input: unknown
  try {
    input = JSON.parse(body)
  } catch {
    input = undefined
  }
  if (isObject(input)) return input
  throw new QueueError('MalformedInput', 'The body is not a JSON object.')
}
