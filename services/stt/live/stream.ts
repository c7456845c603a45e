import type { SpeechMessage } from '../../wire/speech.ts'
import { type AudioFormat, bytesPerFrame, isPcm, SAMPLE_RATE_HZ } from '../audio/format.ts'
import { createLiveInput } from '../audio/live-input.ts'
import { declaredEncoding } from '../domain/encodings.ts'
import type { SpeechStream, StreamOptions } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'
import type { Ear, Ears, Heard } from '../vad/ears.ts'
import { createPolicy } from './policy.ts'
import type { Transcribe } from './transcriber.ts'

export interface LiveDeps {
  readonly ears: Ears
  readonly transcribe: Transcribe
  /** From one interim to the next, in seconds of audio; half a second where nobody says. */
  readonly interimInterval?: () => number
  readonly send: (message: SpeechMessage) => void
}

/** Compressed audio that is decoded at a time: some seconds of speech. */
const COMPRESSED_STEP_BYTES = 16 * 1024
/** More than that many bytes of any speech are. */
const MAX_SECONDS_A_PIECE = 600

/** Opens one live stream: its audio is heard in order, and everything it asks for happens at its place in the audio. */
export function openLiveStream(options: StreamOptions, { ears, send, ...deps }: LiveDeps): SpeechStream {
  const { sampleRateHz, channels } = options
  const input = createLiveInput({ encoding: declaredEncoding(options.encoding), sampleRateHz, channels })
  let isOver = false
  let ear: Ear | undefined
  let heard = Promise.resolve()
  let decodedSamples = 0
  const policy = createPolicy(options, { ...deps, send: sendUnlessOver, fail })

  function sendUnlessOver(message: SpeechMessage): void {
    if (!isOver) send(message)
  }

  function fail(error: unknown): void {
    if (isOver) return
    const { status, message } =
      error instanceof SpeechError ? error : new SpeechError(500, 'Recognition failed.', { cause: error })
    end()
    send({ type: 'Failure', status, error: message })
  }

  function end(): void {
    isOver = true
    policy.abort()
    ear?.close()
  }

  function next(run: () => Promise<void> | void): Promise<void> {
    heard = heard.then(() => (isOver ? undefined : run())).catch(fail)
    return heard
  }

  async function listen(piece: Uint8Array, format: AudioFormat): Promise<void> {
    ear ??= ears.open(format, MAX_SECONDS_A_PIECE)
    // A second or a few at a time: a client may send minutes in one frame.
    const step = stepBytes(format)
    for (let offset = 0; offset < piece.length; offset += step) {
      if (isOver) return
      await hear(await ear.push(piece.subarray(offset, offset + step)))
    }
  }

  async function hear(audio: Heard): Promise<void> {
    decodedSamples += audio.samples.length
    await policy.hear(audio)
  }

  function take(read: () => readonly Uint8Array[]): Promise<void> {
    if (isOver) return Promise.resolve()
    try {
      const pieces = read()
      const { format } = input
      if (format) for (const piece of pieces) void next(() => listen(piece, format))
      return heard
    } catch (error) {
      return next(() => Promise.reject(error))
    }
  }

  /** Compressed audio counts when it has been decoded. */
  function secondsSoFar(): number {
    return input.seconds ?? decodedSamples / SAMPLE_RATE_HZ
  }

  return {
    get audioSeconds() {
      return secondsSoFar()
    },
    write: (audio) => take(() => input.push(audio)),
    finalize() {
      void next(() => policy.finalize())
    },
    async close() {
      void take(() => input.finish())
      await next(async () => {
        if (ear) await hear(await ear.finish())
        policy.close()
        await policy.said()
      })
      sendUnlessOver({ type: 'Summary', audioSeconds: secondsSoFar() })
      if (!isOver) end()
    },
    abort() {
      if (!isOver) end()
    },
  }
}

function stepBytes(format: AudioFormat): number {
  if (isPcm(format)) return bytesPerFrame(format) * format.sampleRateHz
  return format.encoding === 'opus' ? Number.POSITIVE_INFINITY : COMPRESSED_STEP_BYTES
}
