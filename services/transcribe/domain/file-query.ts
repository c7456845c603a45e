import { ApiError } from '../../wire/api-error.ts'
import { type Compat, compatOf } from '../../wire/compat.ts'
import { keytermsIn } from '../../wire/keyterms.ts'
import { flagIn, type Query, textIn } from '../../wire/query.ts'
import type { SpeechQuery } from '../../wire/speech.ts'
import { styleIn } from '../../wire/style.ts'

export interface FileRequest {
  /** What the speech server needs to know. */
  readonly speech: SpeechQuery
  readonly compat: Compat
  readonly detectLanguage: boolean
}

/** Checked, though most have no effect yet: a client's typing error must not pass for a default. */
const FLAGS = ['diarization', 'diarize', 'paragraphs'] as const

/** Reads the parameters of aldea-api §3.3; unknown ones are ignored. @throws ApiError 422. */
export function parseFileQuery(query: Query, compat: Compat): FileRequest {
  for (const name of FLAGS) flagIn(query, name)
  if (textIn(query, 'callback') !== undefined) {
    throw new ApiError(422, 'callback is not supported here; leave it out and wait for the answer.')
  }
  const asked = textIn(query, 'language', 'lang')
  const detectLanguage = (flagIn(query, 'detect_language') ?? false) || asked?.toLowerCase() === 'auto'
  // What is detected is what is recognised, whatever else was asked for.
  const language = detectLanguage ? 'auto' : asked
  const keyterm = keytermsIn(query)
  return {
    speech: {
      ...styleIn(query),
      ...(language !== undefined && { language }),
      ...(keyterm !== undefined && { keyterm }),
    },
    compat: compatOf(query, compat),
    detectLanguage,
  }
}
