import { ApiError } from './api-error.ts'
import type { Query } from './query.ts'

const MAX_TERMS = 100
const MAX_CHARACTERS = 100

/** Deepgram's clients send `term:intensifier`; only the term counts. */
const INTENSIFIER = /:-?\d+(?:\.\d+)?$/

/**
 * `keywords` and `keyterm`, each any number of times, as the one line by line text of `SpeechQuery`.
 * @throws ApiError 422 for more than 100 terms, or one of more than 100 characters.
 */
export function keytermsIn(query: Query): string | undefined {
  const given = [query['keywords'], query['keyterm']].flatMap((values) => values ?? [])
  const terms = given.map((value) => value.replaceAll(/\s+/g, ' ').trim().replace(INTENSIFIER, '').trim())
  const distinct = [...new Set(terms.filter(Boolean))]
  if (distinct.length > MAX_TERMS) {
    throw new ApiError(422, `There are ${distinct.length} keywords; at most ${MAX_TERMS} are supported.`)
  }
  const long = distinct.find((term) => term.length > MAX_CHARACTERS)
  if (long !== undefined) {
    throw new ApiError(
      422,
      `A keyword begins with "${long.slice(0, 20)}" and has more than ${MAX_CHARACTERS} characters.`,
    )
  }
  return distinct.length === 0 ? undefined : distinct.join('\n')
}
