import type { WhisperDimensions } from '../../models/manifest.ts'
import { createAudioShelf } from './audio-shelf.ts'
import { createStep, type Answer, type Ask, type Subject } from './decoder-step.ts'
import type { EncodedAudio } from '../encoder.ts'
import type { Network } from '../sessions.ts'
import type { Tensors } from '../tensors.ts'

/** Writes texts, about one audio after the other. */
export interface Decoder {
  /** For the encoder to write the next audio to, of so many positions: it need not be copied then. */
  room(positions: number): Tensors
  /** A text from its beginning. Those that were started before cannot be gone on with. */
  start(audio: EncodedAudio): Decoding
  /** It writes nothing more, so that the others need not wait for it. */
  close(): void
}

/** One text being written about one window. Its keys and values so far are kept between calls. */
export interface Decoding {
  /** Tokens fed so far. */
  readonly length: number
  /** Attention of the alignment heads, one [heads, positions] array for each token fed. */
  readonly attention: readonly Float32Array[]
  /**
   * Feeds tokens and returns the logits after each of the last `rows` of them: logarithms of the probabilities of all
   * tokens. The arrays are valid until the next call.
   */
  feed(tokens: readonly number[], rows: number): Promise<readonly Float32Array[]>
  /** Takes back all tokens but the first `length`. */
  truncate(length: number): void
  /** Another text that begins with what was fed so far; neither changes the other. */
  fork(): Decoding
}

/** A decoder for itself. */
export function createDecoder(network: Network, dimensions: WhisperDimensions): Decoder {
  const [decoder] = createDecoders(network, dimensions).open(1, 0)
  return decoder as Decoder
}

export interface Decoders {
  /**
   * So many that write together: what all of them feed next is one step, which costs little more than that of one. So each
   * waits for the others until it is closed; and as tokens that are fed together are quantised together, its logits depend
   * a little on theirs. Those that were opened before are done with.
   *
   * @param longest of how many positions their audios are at most, if they are not longer after all
   */
  open(count: number, longest: number): readonly Decoder[]
}

/** What waits for the next step. */
interface Waiting {
  readonly ask: Ask
  resolve(answer: Answer): void
  reject(error: unknown): void
}

interface Seat {
  isOpen: boolean
  waiting: Waiting | undefined
}

export function createDecoders(network: Network, dimensions: WhisperDimensions): Decoders {
  const shelf = createAudioShelf(dimensions)
  const step = createStep(network, dimensions, shelf)

  function advance(seats: readonly Seat[]): void {
    const open = seats.filter(({ isOpen }) => isOpen)
    const waiting = open.flatMap((seat) => seat.waiting ?? [])
    if (waiting.length < open.length || waiting.length === 0) return
    for (const seat of open) seat.waiting = undefined
    step(waiting.map(({ ask }) => ask)).then(
      (answers) => {
        for (const [index, answer] of answers.entries()) waiting[index]?.resolve(answer)
      },
      (error: unknown) => {
        for (const each of waiting) each.reject(error)
      },
    )
  }

  function sit(seats: readonly Seat[], seat: Seat, place: number): Decoder {
    let current: { readonly audio: EncodedAudio; readonly subject: Subject } | undefined
    return {
      room: (positions) => shelf.room(place, positions),
      start(audio) {
        const { positions, crossAttention } = audio
        if (audio !== current?.audio) shelf.put(place, crossAttention, positions)
        const subject: Subject = { place, positions, columns: [] }
        current = { audio, subject }
        return goOn(subject, { entries: [], attention: [] }, (ask) => {
          if (current?.subject !== subject) throw new Error('Another text was started since.')
          return new Promise((resolve, reject) => {
            seat.waiting = { ask, resolve, reject }
            advance(seats)
          })
        })
      },
      close() {
        seat.isOpen = false
        advance(seats)
      },
    }
  }

  return {
    open(count, longest) {
      shelf.clear(count, longest)
      const seats: Seat[] = Array.from({ length: count }, () => ({ isOpen: true, waiting: undefined }))
      return seats.map((seat, place) => sit(seats, seat, place))
    },
  }
}

/** What was fed so far: which of the subject's entries, and what the alignment heads looked at. */
interface Fed {
  readonly entries: readonly number[]
  readonly attention: readonly Float32Array[]
}

function goOn(subject: Subject, fed: Fed, ask: (next: Ask) => Promise<Answer>): Decoding {
  const entries = [...fed.entries]
  const attention = [...fed.attention]
  return {
    get length() {
      return entries.length
    },
    attention,
    async feed(tokens, rows) {
      const answer = await ask({ subject, entries, tokens, rows })
      entries.push(...answer.entries)
      attention.push(...answer.attention)
      return answer.logits
    },
    truncate(length) {
      if (length < entries.length) entries.length = attention.length = length
    },
    fork: () => goOn(subject, { entries, attention }, ask),
  }
}
