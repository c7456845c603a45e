/** A message of the public API, in either dialect, in one shape. Times in seconds. */
export type Message =
  | { readonly type: 'Opening'; readonly requestId: string }
  | Result
  | { readonly type: 'SpeechStarted'; readonly atSeconds: number }
  | { readonly type: 'UtteranceEnd'; readonly lastWordEndSeconds: number }
  | { readonly type: 'Error'; readonly variant: string; readonly description: string }
  /** Deepgram's last message. */
  | { readonly type: 'Closing'; readonly seconds: number; readonly sha256: string }

export interface Result {
  readonly type: 'Result'
  readonly startSeconds: number
  readonly endSeconds: number
  readonly isFinal: boolean
  readonly isSpeechFinal: boolean
  readonly isFromFinalize: boolean
  readonly text: string
  readonly words: readonly Word[]
}

export interface Word {
  readonly text: string
  readonly startSeconds: number
  readonly endSeconds: number
}

/** What the server promises to send; a member that is missing shows as a fault of the stream. */
interface WireMessage {
  readonly type?: string
  readonly request_id?: string
  readonly sha256?: string
  readonly duration?: number
  readonly start?: number
  readonly is_final?: boolean
  readonly speech_final?: boolean
  readonly from_finalize?: boolean
  readonly timestamp?: number
  readonly last_word_end?: number
  readonly variant?: string
  readonly description?: string
  readonly channel?: { readonly alternatives?: readonly WireAlternative[] }
}

interface WireAlternative {
  readonly transcript?: string
  readonly words?: readonly WireWord[]
}

type WireWord =
  | readonly [string, number, number]
  | { readonly punctuated_word: string; readonly start: number; readonly end: number }

/** @throws Error for a message of no known shape */
export function parseMessage(text: string): Message {
  const wire = JSON.parse(text) as WireMessage
  const { type, request_id: requestId, sha256, duration = Number.NaN } = wire
  if (type === 'Metadata' && sha256 !== undefined) return { type: 'Closing', seconds: duration, sha256 }
  if (type === 'Metadata' && requestId !== undefined) return { type: 'Opening', requestId }
  if (type === 'Results') return toResult(wire)
  if (type === 'SpeechStarted') return { type, atSeconds: wire.timestamp ?? Number.NaN }
  if (type === 'UtteranceEnd') return { type, lastWordEndSeconds: wire.last_word_end ?? Number.NaN }
  if (type === 'Error') return { type, variant: wire.variant ?? '', description: wire.description ?? '' }
  throw new Error(`A message of no known shape: ${text.slice(0, 200)}`)
}

function toResult(wire: WireMessage): Result {
  const { start = Number.NaN, duration = Number.NaN, channel } = wire
  const [alternative] = channel?.alternatives ?? []
  return {
    type: 'Result',
    startSeconds: start,
    endSeconds: start + duration,
    isFinal: wire.is_final === true,
    isSpeechFinal: wire.speech_final === true,
    isFromFinalize: wire.from_finalize === true,
    text: alternative?.transcript ?? '',
    words: (alternative?.words ?? []).map(toWord),
  }
}

function toWord(word: WireWord): Word {
  if (!('punctuated_word' in word)) return { text: word[0], startSeconds: word[1] / 1_000, endSeconds: word[2] / 1_000 }
  return { text: word.punctuated_word, startSeconds: word.start, endSeconds: word.end }
}
