import { createHash } from 'node:crypto'
import type { Clock } from '../../../wire/clock.ts'
import type { Log } from '../../../wire/log.ts'
import type { SpeechMessage } from '../../../wire/speech.ts'
import { SpeechError } from '../../errors.ts'
import type { SpeechEngine, SpeechStream, StreamOptions } from '../port.ts'
import { appendTake, type Cue, fileKey, HEAD_BYTES, streamKey, type Take } from './tape.ts'

interface RecorderDeps {
  readonly file: string
  readonly clock: Clock
  readonly log: Log
}

/** An engine that writes down what it says. Streams that break off are not recorded. */
export function recordEngine(engine: SpeechEngine, { file, clock, log }: RecorderDeps): SpeechEngine {
  async function record(take: Take): Promise<void> {
    await appendTake(file, take).catch((err: unknown) => log.error({ err, file }, 'the cassette could not be written'))
  }

  return {
    ...engine,
    get device() {
      return engine.device
    },
    async transcribe(audio, options) {
      const startedAt = clock.now()
      const key = fileKey(audio.bytes, options)
      const took = (): number => clock.now() - startedAt
      try {
        const transcript = await engine.transcribe(audio, options)
        await record({ kind: 'file', key, transcript, tookMs: took() })
        return transcript
      } catch (error) {
        if (error instanceof SpeechError && error.status < 500) {
          const refusal = { status: error.status, error: error.message }
          await record({ kind: 'file', key, refusal, tookMs: took() })
        }
        throw error
      }
    },
    openStream: (options, send) => recordStream(engine, options, { send, clock, record }),
  }
}

interface StreamDeps {
  readonly send: (message: SpeechMessage) => void
  readonly clock: Clock
  readonly record: (take: Take) => Promise<void>
}

function recordStream(engine: SpeechEngine, options: StreamOptions, { send, clock, record }: StreamDeps): SpeechStream {
  const hash = createHash('sha256')
  const cues: Cue[] = []
  let head = Buffer.alloc(0)
  let audioBytes = 0
  let controls = 0
  let reachedAt = clock.now()

  const stream = engine.openStream(options, (message) => {
    cues.push({ audioBytes, controls, lagMs: clock.now() - reachedAt, message })
    send(message)
  })

  function control(): void {
    controls += 1
    reachedAt = clock.now()
  }

  return {
    get audioSeconds() {
      return stream.audioSeconds
    },
    write(audio) {
      hash.update(audio)
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, audio])
      audioBytes += audio.length
      reachedAt = clock.now()
      return stream.write(audio)
    },
    finalize() {
      control()
      stream.finalize()
    },
    async close() {
      control()
      await stream.close()
      await record({ kind: 'stream', key: streamKey(head, options), audio: hash.digest('hex'), cues })
    },
    abort: () => stream.abort(),
  }
}
