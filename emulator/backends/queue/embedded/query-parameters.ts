import type { Input } from './action.ts'

type Tree = Map<string, string | Tree>

/** Flattened lists and maps by their names in the query protocol: what they are called in JSON, and what they hold. */
const RENAMED: Readonly<Record<string, { readonly name: string; readonly kind: 'list' | Pair }>> = {
  SendMessageBatchRequestEntry: { name: 'Entries', kind: 'list' },
  DeleteMessageBatchRequestEntry: { name: 'Entries', kind: 'list' },
  ChangeMessageVisibilityBatchRequestEntry: { name: 'Entries', kind: 'list' },
  AttributeName: { name: 'AttributeNames', kind: 'list' },
  MessageAttributeName: { name: 'MessageAttributeNames', kind: 'list' },
  MessageSystemAttributeName: { name: 'MessageSystemAttributeNames', kind: 'list' },
  TagKey: { name: 'TagKeys', kind: 'list' },
  AWSAccountId: { name: 'AWSAccountIds', kind: 'list' },
  ActionName: { name: 'Actions', kind: 'list' },
  Attribute: { name: 'Attributes', kind: ['Name', 'Value'] },
  MessageAttribute: { name: 'MessageAttributes', kind: ['Name', 'Value'] },
  MessageSystemAttribute: { name: 'MessageSystemAttributes', kind: ['Name', 'Value'] },
  Tag: { name: 'Tags', kind: ['Key', 'Value'] },
}

/** What key and value of a map are called. */
type Pair = readonly [key: string, value: string]

/** `Attribute.1.Name=…&Attribute.1.Value=…` as the JSON protocol has it. Numbers stay text. */
export function readParameters(fields: URLSearchParams): Input {
  const root: Tree = new Map()
  for (const [path, value] of fields) plant(root, path.split('.'), value)
  const input = toInput(root)
  // CreateQueue alone spells it in lower case.
  if (fields.get('Action') === 'CreateQueue') return { ...input, tags: input['Tags'] }
  return input
}

function plant(root: Tree, path: readonly string[], value: string): void {
  let tree = root
  for (const step of path.slice(0, -1)) {
    let next = tree.get(step)
    if (!(next instanceof Map)) {
      next = new Map()
      tree.set(step, next)
    }
    tree = next
  }
  tree.set(path.at(-1) ?? '', value)
}

function toInput(tree: Tree): Input {
  return Object.fromEntries(
    Array.from(tree, ([name, value]) => {
      const renamed = value instanceof Map ? RENAMED[name] : undefined
      if (!(value instanceof Map) || !renamed) return [name, toValue(value)]
      const items = inOrder(value)
      if (renamed.kind === 'list') return [renamed.name, items.map(toValue)]
      return [renamed.name, toMap(items, renamed.kind)]
    }),
  )
}

function toValue(value: string | Tree): unknown {
  return value instanceof Map ? toInput(value) : value
}

function toMap(items: readonly (string | Tree)[], [keyName, valueName]: Pair): Input {
  const pairs: [string, unknown][] = []
  for (const item of items) {
    const key = item instanceof Map ? item.get(keyName) : undefined
    const value = item instanceof Map ? item.get(valueName) : undefined
    if (typeof key === 'string') pairs.push([key, toValue(value ?? '')])
  }
  return Object.fromEntries(pairs)
}

/** Items by their numbers; some clients write `.entry.1` or `.member.1` between. */
function inOrder(list: Tree): (string | Tree)[] {
  const inner = list.get('entry') ?? list.get('member')
  const numbered = inner instanceof Map ? inner : list
  return Array.from(numbered)
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, item]) => item)
}
