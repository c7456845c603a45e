import type { SpeechModel } from '../../wire/speech.ts'
import type { Languages } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'

/** Asks that the language be detected. */
export const AUTO = 'auto'

/** What a speech server can recognise. */
export interface Installed {
  readonly model: SpeechModel
  readonly languages: Languages
}

// The shape of a BCP-47 tag, enough to tell a tag from a typing error: a primary tag, then subtags.
const TAG = /^([a-z]{2,8})(?:[-_][a-z0-9]{1,8})*$/i
/** More are counted, not listed. */
const MAX_LISTED = 8

/**
 * The tag to recognise in as it was asked for, or {@link AUTO}; undefined when nothing was asked for.
 * @throws {@link SpeechError} 422 for a malformed tag, and for a language that the installed model does not know.
 */
export function resolveLanguage(requested: string | undefined, { model, languages }: Installed): string | undefined {
  if (!requested) return undefined
  if (requested.toLowerCase() === AUTO) return AUTO
  if (!TAG.test(requested)) throw new SpeechError(422, `"${requested}" is not a language tag.`)
  if (languages === 'any' || languages.includes(primaryTag(requested))) return requested
  const known = languages.length > MAX_LISTED ? `${languages.length} languages` : languages.join(', ')
  throw new SpeechError(422, `The language "${requested}" is not installed here; installed: ${model.name} (${known}).`)
}

/** `en` of `en-US`. */
export function primaryTag(tag: string): string {
  return TAG.exec(tag)?.[1]?.toLowerCase() ?? tag
}
