import { createHash } from 'node:crypto'
import type { Clock } from '../../../wire/clock.ts'
import type { SpeechMessage } from '../../../wire/speech.ts'
import { SpeechError } from '../../errors.ts'
import type { SpeechEngine, SpeechStream, StreamOptions } from '../port.ts'
import { type Cue, fileKey, HEAD_BYTES, streamKey, type StreamTake, type Take } from './tape.ts'

export interface PlayerDeps {
  readonly takes: ReadonlyMap<string, Take>
  readonly clock: Clock
  /** `instant`: as soon as the stream has come so far; `recorded`: and as late after that as it was. */
  readonly pace: 'instant' | 'recorded'
}

const MODEL = { name: 'cassette', version: '1' } as const

/** Says again what was recorded, message by message; the audio alone decides when, however fast it comes. */
export function createCassetteEngine({ takes, clock, pace }: PlayerDeps): SpeechEngine {
  return {
    model: MODEL,
    languages: 'any',
    async transcribe({ bytes }, options) {
      const take = takes.get(fileKey(bytes, options))
      if (take?.kind !== 'file') throw notRecorded('file')
      if (pace === 'recorded') await clock.sleep(take.tookMs, options.signal)
      if (take.refusal) throw new SpeechError(take.refusal.status, take.refusal.error)
      if (!take.transcript) throw notRecorded('file')
      return take.transcript
    },
    openStream(options, send) {
      const play = (cue: Cue): Promise<void> | undefined => (pace === 'recorded' ? clock.sleep(cue.lagMs) : undefined)
      return playStream(takes, options, { send, play })
    },
    figures: () => ({ audioSeconds: 0, computeSeconds: 0 }),
    stop: async () => undefined,
  }
}

interface StreamDeps {
  readonly send: (message: SpeechMessage) => void
  readonly play: (cue: Cue) => Promise<void> | undefined
}

function playStream(
  takes: ReadonlyMap<string, Take>,
  options: StreamOptions,
  { send, play }: StreamDeps,
): SpeechStream {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  let take: StreamTake | undefined
  let next = 0
  let audioBytes = 0
  let controls = 0
  let isOver = false
  let said = Promise.resolve()

  /** Everything that had been said when the recorded stream had come so far. */
  function advance(isWhole = false): Promise<void> {
    if (isOver) return said
    if (!take && (isWhole || head.length >= HEAD_BYTES)) take = find()
    const cues = take?.cues ?? []
    for (let cue = cues[next]; cue && cue.audioBytes <= audioBytes && cue.controls <= controls; cue = cues[next]) {
      next += 1
      said = said.then(sayer(cue))
    }
    return said
  }

  /** One message after the other: what was late makes the next late as well. */
  function sayer(cue: Cue): () => Promise<void> {
    return async () => {
      await play(cue)
      if (!isOver) send(cue.message)
    }
  }

  function find(): StreamTake | undefined {
    const found = takes.get(streamKey(head, options))
    if (found?.kind === 'stream') return found
    fail(notRecorded('stream'))
    return undefined
  }

  function fail({ status, message }: SpeechError): void {
    isOver = true
    send({ type: 'Failure', status, error: message })
  }

  return {
    get audioSeconds() {
      const summary = take?.cues.at(-1)?.message
      return summary?.type === 'Summary' ? summary.audioSeconds : 0
    },
    async write(audio) {
      hash.update(audio)
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, audio])
      audioBytes += audio.length
      await advance()
    },
    finalize() {
      controls += 1
      void advance()
    },
    async close() {
      controls += 1
      await advance(true)
      if (!isOver && take && take.audio !== hash.digest('hex')) fail(notRecorded('stream'))
      isOver = true
    },
    abort() {
      isOver = true
    },
  }
}

function notRecorded(what: 'file' | 'stream'): SpeechError {
  return new SpeechError(422, `The cassette has no recording of this ${what} with these parameters.`)
}
