import { NOTHING, type Output } from './action.ts'
import { isVerbatim } from './characters.ts'
import { QueueError } from './errors.ts'
import { isObject } from './input.ts'
import type { Protocol, Request } from './protocol.ts'

/** AWS JSON 1.0: what today's SDKs speak. */
export const jsonProtocol: Protocol = {
  contentType: 'application/x-amz-json-1.0',
  success(action, output) {
    if (action === 'SendMessage') return quoteAll(output)
    return output === NOTHING ? '' : JSON.stringify(output)
  },
  failure: ({ shape, message }) => JSON.stringify({ __type: shape, message }),
}

/** Ids and digests, which have nothing to escape, in a quarter of the time of JSON.stringify. */
function quoteAll(output: Output): string {
  let members = ''
  for (const name in output) members += `${members === '' ? '' : ','}"${name}":"${String(output[name])}"`
  return `{${members}}`
}

const TARGET = 'AmazonSQS.'

/** @param target the header X-Amz-Target. @throws QueueError */
export function parseJson(target: string, body: string): Request {
  const action = target.startsWith(TARGET) ? target.slice(TARGET.length) : ''
  const input = body === '' ? {} : parseBody(body)
  return { protocol: jsonProtocol, action, input, isVerbatim: isVerbatim(body) }
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
