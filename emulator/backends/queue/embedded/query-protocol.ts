import type { Protocol, Request } from './protocol.ts'
import { readParameters } from './query-parameters.ts'
import { escapeXml, resultOf } from './query-xml.ts'

const NAMESPACE = 'http://queue.amazonaws.com/doc/2012-11-05/'
const DECLARATION = '<?xml version="1.0"?>'

/** Form fields in, XML out: what older SDKs and hand-written clients speak. */
export const queryProtocol: Protocol = {
  contentType: 'text/xml',
  success(action, output, requestId) {
    const elements = resultOf(action, output)
    const result = RESULTLESS.has(action) ? '' : wrap(`${action}Result`, elements)
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
    return `${DECLARATION}<${action}Response xmlns="${NAMESPACE}">${result}${metadata}</${action}Response>`
  },
  failure({ code, message, status }, requestId) {
    const type = status === 400 ? 'Sender' : 'Receiver'
    const error = `<Type>${type}</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message><Detail/>`
    const tail = `<RequestId>${requestId}</RequestId>`
    return `${DECLARATION}<ErrorResponse xmlns="${NAMESPACE}"><Error>${error}</Error>${tail}</ErrorResponse>`
  },
}

/** Actions that answer with their metadata only. */
const RESULTLESS: ReadonlySet<string> = new Set([
  'AddPermission',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'DeleteQueue',
  'PurgeQueue',
  'RemovePermission',
  'SetQueueAttributes',
  'TagQueue',
  'UntagQueue',
])

/**
 * @param path of the request: `/<account>/<queue>` names the queue where no parameter does
 * @param fields of the query string and of the body
 */
export function parseQuery(path: string, fields: URLSearchParams): Request {
  const input = readParameters(fields)
  const isQueue = /^\/[^/]+\/[^/]+\/?$/.test(path)
  return {
    protocol: queryProtocol,
    action: fields.get('Action') ?? '',
    input: isQueue && input['QueueUrl'] === undefined ? { ...input, QueueUrl: decodeURIComponent(path) } : input,
    isVerbatim: false,
  }
}

function wrap(name: string, elements: string): string {
  return elements === '' ? `<${name}/>` : `<${name}>${elements}</${name}>`
}
