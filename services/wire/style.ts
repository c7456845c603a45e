import { flagIn, type Query } from './query.ts'

/**
 * How a transcript is to be written, in flags of the public API. Our own models write as they were taught; a speech
 * server behind ours may do better.
 */
export const STYLE_FLAGS = [
  'punctuate',
  'smart_format',
  'numerals',
  'measurements',
  'filler_words',
  'profanity_filter',
] as const

export type Style = Readonly<Partial<Record<(typeof STYLE_FLAGS)[number], string>>>

/** Those that were asked for, as `true` and `false`. @throws ApiError 422. */
export function styleIn(query: Query): Style {
  return Object.fromEntries(
    STYLE_FLAGS.flatMap((name) => {
      const flag = flagIn(query, name)
      return flag === undefined ? [] : [[name, String(flag)]]
    }),
  )
}
