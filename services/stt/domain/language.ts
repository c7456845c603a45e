import type { Languages } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'

// The shape of a BCP-47 tag, enough to tell a tag from a typing error: a primary tag, then subtags.
const TAG = /^([a-z]{2,8})(?:[-_][a-z0-9]{1,8})*$/i

/**
 * The primary tag to recognise in; undefined leaves it to the model (nothing asked for, or `auto`).
 * @throws {@link SpeechError} 422 for a malformed tag and for a language the model does not have.
 */
export function resolveLanguage(requested: string | undefined, installed: Languages): string | undefined {
  if (!requested || requested.toLowerCase() === 'auto') return undefined
  const primary = TAG.exec(requested)?.[1]?.toLowerCase()
  if (!primary) throw new SpeechError(422, `"${requested}" is not a language tag.`)
  if (installed === 'any' || installed.includes(primary)) return primary
  throw new SpeechError(422, `The language "${requested}" is not installed here; installed: ${installed.join(', ')}.`)
}
