import type { Output } from './action.ts'
import { isObject } from './input.ts'

/** Element of one item of a list, by the list's name in JSON. */
const ITEMS: Readonly<Record<string, string>> = {
  Messages: 'Message',
  QueueUrls: 'QueueUrl',
  queueUrls: 'QueueUrl',
  Results: 'ListMessageMoveTasksResultEntry',
  Failed: 'BatchResultErrorEntry',
}

/** Element of one pair of a map, and what key and value are called in it. */
const MAPS: Readonly<Record<string, readonly [element: string, key: string]>> = {
  Attributes: ['Attribute', 'Name'],
  MessageAttributes: ['MessageAttribute', 'Name'],
  Tags: ['Tag', 'Key'],
}

/** The members of an action's answer as elements. What succeeded in a batch is named after the batch. */
export function resultOf(action: string, output: Output): string {
  const { Successful: successful, ...rest } = output
  const entries = Array.isArray(successful) ? successful : []
  return entries.map((entry) => element(`${action}ResultEntry`, contentOf(entry))).join('') + elementsOf(rest)
}

function elementsOf(output: Output): string {
  return Object.entries(output)
    .map(([name, value]) => memberOf(name, value))
    .join('')
}

function memberOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => element(ITEMS[name] ?? name, contentOf(item))).join('')
  if (!isObject(value)) return element(name, contentOf(value))
  const map = MAPS[name]
  if (!map) return element(name, elementsOf(value))
  const [pair, key] = map
  return Object.entries(value)
    .map(([each, held]) => element(pair, element(key, escapeXml(each)) + element('Value', contentOf(held))))
    .join('')
}

function contentOf(value: unknown): string {
  return isObject(value) ? elementsOf(value) : escapeXml(String(value))
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser would make a line feed of it.
  '\r': '&#xD;',
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character)
}
