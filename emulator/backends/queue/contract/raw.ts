/** A request of a client that is not an SDK, in one of the two protocols. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Parameters as the JSON protocol has them; `toQuery` makes the others of them. */
export type Parameters = Readonly<Record<string, unknown>>

export async function askJson(endpoint: string, action: string, parameters: Parameters): Promise<RawAnswer> {
  return answer(
    await fetch(`${endpoint}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        'x-amzn-query-mode': 'true',
      },
      body: JSON.stringify(parameters),
    }),
  )
}

export async function askQuery(endpoint: string, action: string, parameters: Parameters): Promise<RawAnswer> {
  const form = new URLSearchParams([['Action', action], ['Version', '2012-11-05'], ...toQuery(action, parameters)])
  return answer(await fetch(`${endpoint}/`, { method: 'POST', body: form }))
}

/** The text of the first element of this name. */
export function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

async function answer(response: Response): Promise<RawAnswer> {
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** How the query protocol names the lists and maps of the JSON protocol: flat, numbered from 1. */
const LISTS: Readonly<Record<string, string>> = {
  AttributeNames: 'AttributeName',
  MessageAttributeNames: 'MessageAttributeName',
  MessageSystemAttributeNames: 'MessageSystemAttributeName',
  TagKeys: 'TagKey',
  AWSAccountIds: 'AWSAccountId',
  Actions: 'ActionName',
}
const MAPS: Readonly<Record<string, readonly [item: string, key: string]>> = {
  Attributes: ['Attribute', 'Name'],
  MessageAttributes: ['MessageAttribute', 'Name'],
  MessageSystemAttributes: ['MessageSystemAttribute', 'Name'],
  tags: ['Tag', 'Key'],
  Tags: ['Tag', 'Key'],
}

function toQuery(action: string, parameters: Parameters): [string, string][] {
  return Object.entries(parameters).flatMap(([name, value]) => flatten(action, name, value))
}

function flatten(action: string, name: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[name, String(value)]]
  if (Array.isArray(value)) {
    const item = name === 'Entries' ? `${action}RequestEntry` : (LISTS[name] ?? name)
    return value.flatMap((each: unknown, index) => under(`${item}.${index + 1}`, action, each))
  }
  const map = MAPS[name]
  if (!map) return under(name, action, value)
  const [item, key] = map
  return Object.entries(value).flatMap(([each, inner], index) => {
    const prefix = `${item}.${index + 1}`
    return under(prefix, action, { [key]: each, Value: inner })
  })
}

function under(prefix: string, action: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[prefix, String(value)]]
  return toQuery(action, value as Parameters).map(([name, text]) => [`${prefix}.${name}`, text])
}
