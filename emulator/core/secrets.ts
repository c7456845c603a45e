import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemIds } from '../../services/wire/ids.ts'
import { replaceFile } from './replace-file.ts'

/** Random values by name. */
export type Secrets = Readonly<Record<string, string>>

/** Long enough that nobody guesses one. */
const SECRET_BYTES = 24

/**
 * The secrets of one environment, kept from start to start in a file that only its owner can read. New ones never come
 * from injected ids: those may be predictable.
 */
export async function openSecrets(stateDir: string, names: readonly string[]): Promise<Secrets> {
  const path = join(stateDir, 'secrets.json')
  const kept = await readKept(path)
  if (names.every((name) => kept[name] !== undefined)) return kept
  const fresh = Object.fromEntries(names.map((name) => [name, systemIds.hex(SECRET_BYTES)]))
  const secrets = { ...fresh, ...kept }
  await replaceFile(path, `${JSON.stringify(secrets, undefined, 2)}\n`)
  return secrets
}

async function readKept(path: string): Promise<Secrets> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null) return {}
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
