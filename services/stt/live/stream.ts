import type { SpeechMessage } from '../../wire/speech.ts'
import { bytesPerFrame } from '../audio/format.ts'
import { createLiveInput } from '../audio/live-input.ts'
import { declaredEncoding } from '../domain/encodings.ts'
import type { SpeechStream, StreamOptions } from '../engines/port.ts'
import { SpeechError } from '../errors.ts'
import type { Ear, Ears } from '../vad/ears.ts'
import { createPolicy } from './policy.ts'
import type { Transcribe } from './transcriber.ts'

export interface LiveDeps {
  readonly ears: Ears
  readonly transcribe: Transcribe
  readonly send: (message: SpeechMessage) => void
}

/** Opens one live stream: its audio is heard in order, and everything it asks for happens at its place in the audio. */
export function openLiveStream(options: StreamOptions, { ears, transcribe, send }: LiveDeps): SpeechStream {
  const { sampleRateHz, channels } = options
  const input = createLiveInput({ encoding: declaredEncoding(options.encoding), sampleRateHz, channels })
  let isOver = false
  let ear: Ear | undefined
  let heard = Promise.resolve()
  const policy = createPolicy(options, { transcribe, send: sendUnlessOver, fail })

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

  async function listen(pcm: Uint8Array): Promise<void> {
    const { format } = input
    if (!format) return
    ear ??= ears.open(format)
    // A second at a time: a client may send minutes in one frame.
    const step = bytesPerFrame(format) * format.sampleRateHz
    for (let offset = 0; offset < pcm.length; offset += step) {
      if (isOver) return
      await policy.hear(await ear.push(pcm.subarray(offset, offset + step)))
    }
  }

  function take(read: () => Uint8Array): Promise<void> {
    if (isOver) return Promise.resolve()
    try {
      const pcm = read()
      return pcm.length === 0 ? heard : next(() => listen(pcm))
    } catch (error) {
      return next(() => Promise.reject(error))
    }
  }

  return {
    get audioSeconds() {
      return input.seconds
    },
    write: (audio) => take(() => input.push(audio)),
    finalize() {
      void next(() => policy.finalize())
    },
    async close() {
      void take(() => input.finish())
      await next(async () => {
        if (ear) await policy.hear(await ear.finish())
        policy.close()
        await policy.said()
      })
      sendUnlessOver({ type: 'Summary', audioSeconds: input.seconds })
      if (!isOver) end()
    },
    abort() {
      if (!isOver) end()
    },
  }
}
