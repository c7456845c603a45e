import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ids } from '../../services/wire/runtime.ts'
import { replaceFile } from './replace-file.ts'

/** Random values of one environment, kept from start to start in a file only its owner can read. */
export interface Secrets {
  secret(name: string): string
}

/** Long enough that nobody guesses one. */
const SECRET_BYTES = 24
const NAMES = ['admin-token'] as const

export async function openSecrets(stateDir: string, ids: Ids): Promise<Secrets> {
  const path = join(stateDir, 'secrets.json')
  const kept = await readKept(path)
  const values = new Map(NAMES.map((name) => [name as string, kept[name] ?? ids.hex(SECRET_BYTES)]))
  await replaceFile(path, `${JSON.stringify(Object.fromEntries(values), undefined, 2)}\n`)

  return {
    secret(name) {
      const value = values.get(name)
      if (value === undefined) throw new Error(`There is no secret ${name}.`)
      return value
    },
  }
}

async function readKept(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null) return {}
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
