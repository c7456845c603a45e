/** A JSON Schema, as far as the routes use it. */
interface Schema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** Writes a schema as people write types, one member a line with what else is known of it behind. */
export function toShapeText(schema: object, indent = ''): string {
  const { anyOf, const: value, items, properties, required = [], type = 'any' }: Schema = schema
  if (value !== undefined) return JSON.stringify(value)
  if (anyOf) return anyOf.map((each) => toShapeText(each, indent)).join(' | ')
  if (items) return `${toShapeText(items, indent)}[]`
  if (!properties) return type
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, member]) => {
    const head = `${inner}${name}${required.includes(name) ? '' : '?'}: `
    const notes = notesOf(member)
    const text = toShapeText(member, inner)
    if (notes === '') return `${head}${text}`
    // Of an object, beside its first line: behind the last one it would be read as of the last member.
    const [first = '', ...rest] = text.split('\n')
    return [`${head}${first}  // ${notes}`, ...rest].join('\n')
  })
  return `{\n${members.join('\n')}\n${indent}}`
}

/** What a schema says besides its type. */
export function notesOf(schema: object): string {
  const { description, pattern, minLength, maxLength, minimum, maximum }: Schema = schema
  return [
    ...(description === undefined ? [] : [description.replace(/\.$/, '')]),
    ...range(minLength, maxLength, ' characters'),
    ...range(minimum, maximum, ''),
    ...(pattern === undefined || description !== undefined ? [] : [`matches ${pattern}`]),
  ].join('; ')
}

function range(from: number | undefined, to: number | undefined, unit: string): string[] {
  if (from === undefined && to === undefined) return []
  if (from === undefined) return [`at most ${to}${unit}`]
  return [to === undefined ? `at least ${from}${unit}` : `${from} to ${to}${unit}`]
}
