import { readFile, stat } from 'node:fs/promises'
import { ModelError } from './errors.ts'

/** Four times the largest `tokenizer.json` of a Whisper; beyond it a file is not what its name says. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024

export type JsonObject = Partial<Record<string, unknown>>

/** A small text file; undefined when there is none. @throws ModelError when it is too long or cannot be read */
export async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > MAX_TEXT_BYTES) throw new ModelError(`${path} has ${size} bytes; at most ${MAX_TEXT_BYTES} are read.`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error instanceof ModelError ? error : new ModelError(`${path} cannot be read.`, { cause: error })
  }
}

/** @throws ModelError for what is no JSON object */
export function parseObject(path: string, text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ModelError(`${path} is not JSON.`, { cause: error })
  }
  if (isObject(value)) return value
  throw new ModelError(`${path} is not a JSON object.`)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
