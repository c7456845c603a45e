import { hasForbidden } from './characters.ts'
import { QueueError, invalid, missing } from './errors.ts'
import { MAX_MESSAGE_ATTRIBUTES } from './limits.ts'
import type { WireAttribute, WireAttributes } from './message.ts'
import type { Input } from './action.ts'

export function readText(input: Input, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw malformed(name, 'a string')
}

export function requireText(input: Input, name: string): string {
  const value = readText(input, name)
  if (value === undefined || value === '') throw missing(name)
  return value
}

/** An integer; the query protocol has it as text. */
export function readInteger(input: Input, name: string): number | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value)
  throw malformed(name, 'an integer')
}

export function readIntegerBetween(input: Input, name: string, low: number, high: number): number | undefined {
  const value = readInteger(input, name)
  if (value === undefined || (value >= low && value <= high)) return value
  throw invalid(name, value, `Must be >= ${low} and <= ${high}, if provided.`)
}

export function readTexts(input: Input, name: string): string[] {
  const value = input[name] ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw malformed(name, 'a list of strings')
}

export function readTextMap(input: Input, name: string): Record<string, string> {
  const map = readObject(input, name)
  if (Object.values(map).every((value) => typeof value === 'string')) return map as Record<string, string>
  throw malformed(name, 'a map of strings')
}

export function readEntries(input: Input, name: string): Input[] {
  const value = input[name] ?? []
  if (Array.isArray(value) && value.every(isObject)) return value
  throw malformed(name, 'a list of structures')
}

/** Attributes of a message, all checked. */
export function readAttributes(input: Input, name: string): WireAttributes | undefined {
  if (input[name] === undefined) return undefined
  const entries = Object.entries(readObject(input, name))
  if (entries.length === 0) return undefined
  if (entries.length > MAX_MESSAGE_ATTRIBUTES) {
    throw new QueueError(
      'InvalidParameterValue',
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${MAX_MESSAGE_ATTRIBUTES}].`,
    )
  }
  const attributes: Record<string, WireAttribute> = {}
  for (const [key, value] of entries) attributes[key] = readAttribute(key, value)
  return attributes
}

const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)(?!aws\.)(?!amazon\.)[\w.-]{1,256}(?<!\.)$/i
const DATA_TYPE = /^(String|Number|Binary)(\..+)?$/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function readAttribute(name: string, value: unknown): WireAttribute {
  if (!ATTRIBUTE_NAME.test(name)) throw refused(`The message attribute name '${name}' is invalid.`)
  if (!isObject(value)) throw malformed(name, 'a structure')
  const type = readText(value, 'DataType')
  const kind = type === undefined ? undefined : DATA_TYPE.exec(type)?.[1]
  if (type === undefined || kind === undefined || type.length > MAX_DATA_TYPE) {
    throw refused(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    )
  }
  const field = kind === 'Binary' ? 'BinaryValue' : 'StringValue'
  const text = readText(value, field)
  if (text === undefined || text === '') {
    throw refused(`The message attribute '${name}' must contain non-empty message attribute value for type '${type}'.`)
  }
  if (kind === 'Number' && !NUMBER.test(text)) {
    throw refused(`Can't cast the value of message (user) attribute '${name}' to a number.`)
  }
  if (kind === 'Binary') return { DataType: type, BinaryValue: text }
  if (hasForbidden(text)) throw new QueueError('InvalidMessageContents', `Invalid characters found in '${name}'.`)
  return { DataType: type, StringValue: text }
}

const MAX_DATA_TYPE = 256

function readObject(input: Input, name: string): Input {
  const value = input[name] ?? {}
  if (isObject(value)) return value
  throw malformed(name, 'a map')
}

export function isObject(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(message: string): QueueError {
  return new QueueError('InvalidParameterValue', message)
}

function malformed(name: string, what: string): QueueError {
  return new QueueError('MalformedInput', `${name} must be ${what}.`)
}
