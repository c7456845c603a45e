import { Agent } from '../../../wire/undici.ts'
import type { SpeechMessage } from '../../../wire/speech.ts'
import { wavOfSamples } from '../../audio/wav-writer.ts'
import { SAMPLE_RATE_HZ } from '../../audio/format.ts'
import { AUTO, primaryTag } from '../../domain/language.ts'
import { spreadWords } from '../../domain/spread-words.ts'
import { SpeechError } from '../../errors.ts'
import { openLiveStream } from '../../live/stream.ts'
import type { Transcribe } from '../../live/transcriber.ts'
import type { Ears } from '../../vad/ears.ts'
import type { SpeechEngine, SpeechStream, StreamOptions } from '../port.ts'
import { transcribeAt } from './exchange.ts'
import { inferenceUpstream, transcriptionsUpstream } from './form-upstream.ts'
import { listenUpstream } from './listen-upstream.ts'
import type { Upstream, UpstreamOptions } from './upstream.ts'

export interface ForwardDeps {
  /** Tried in this order. */
  readonly upstreams: readonly Upstream[]
  readonly model: string | undefined
  /** Needed where no server takes streams. */
  readonly ears: Ears | undefined
  readonly release: () => Promise<void>
}

const CONNECT_TIMEOUT_MS = 5_000

/** Which API a URL speaks, by the end of its path. @throws Error naming the paths that are known. */
export function upstreamOf(url: URL, options: UpstreamOptions): Upstream {
  const path = url.pathname.replace(/\/+$/, '')
  if (path.endsWith('/v1/listen')) return listenUpstream(url, options)
  if (path.endsWith('/audio/transcriptions')) return transcriptionsUpstream(url, options)
  if (path.endsWith('/inference')) return inferenceUpstream(url, options)
  const known = '/v1/listen (Aldea, Deepgram), /v1/audio/transcriptions (OpenAI) or /inference (whisper.cpp)'
  throw new Error(`${url.href} is no API that can be forwarded to; its path must end with ${known}.`)
}

/** Lets other servers recognise. Connections are kept; of several URLs the first that answers is used. */
export function createForwardEngine({ upstreams, model, ears, release }: ForwardDeps): SpeechEngine {
  // Recognition takes as long as it takes; a client that has waited enough hangs up.
  const dispatcher = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 })
  let audioSeconds = 0

  /** A window of a stream, for a server that takes files. */
  const transcribeWindow =
    ({ language, keyterms = [] }: StreamOptions): Transcribe =>
    async ({ samples: take, signal }) => {
      const samples = take()
      const file = { bytes: wavOfSamples(samples), language, keyterms }
      const { text, words, confidence } = await transcribeAt(upstreams, file, { dispatcher, signal })
      return {
        text,
        // The policy needs to know where words are.
        words: words.length > 0 ? words : spreadWords(text, samples.length / SAMPLE_RATE_HZ, confidence),
        confidence,
        averageLogProbability: 0,
        noSpeechProbability: 0,
        compressionRatio: 1,
        computeMs: 0,
      }
    }

  const named = { name: model ?? upstreams[0]?.url.host ?? 'forward', version: 'forward' }
  return {
    model: named,
    // Which ones there are only the other server knows; it refuses what it lacks.
    languages: 'any',
    async transcribe({ bytes }, { signal, ...options }) {
      const said = await transcribeAt(upstreams, { bytes, ...options }, { dispatcher, signal })
      const { language } = options
      audioSeconds += said.audioSeconds ?? 0
      return {
        audioSeconds: said.audioSeconds ?? said.words.at(-1)?.endSeconds ?? 0,
        channels: said.channels ?? 1,
        text: said.text,
        words: said.words,
        confidence: said.confidence,
        language: said.language ?? (language && language !== AUTO ? primaryTag(language) : 'en'),
        ...(said.languageConfidence !== undefined && { languageConfidence: said.languageConfidence }),
        model: named,
      }
    },
    openStream(options, send) {
      const count = (message: SpeechMessage): void => {
        if (message.type === 'Summary') audioSeconds += message.audioSeconds
        send(message)
      }
      const live = upstreams.filter(({ openStream }) => openStream)
      if (live.length > 0 || !ears) return openFirst(live, options, count)
      return openLiveStream(options, { ears, transcribe: transcribeWindow(options), send: count })
    },
    figures: () => ({ audioSeconds, computeSeconds: 0 }),
    async stop() {
      await dispatcher.destroy()
      await release()
    },
  }
}

/** A stream at the first server that opens one. What is written meanwhile waits for it. */
function openFirst(
  upstreams: readonly Upstream[],
  options: StreamOptions,
  send: (message: SpeechMessage) => void,
): SpeechStream {
  let stream: SpeechStream | undefined
  let isOver = false
  const opened = open().catch((error: unknown) => {
    if (!isOver) send({ type: 'Failure', status: 503, error: error instanceof Error ? error.message : String(error) })
    isOver = true
    return undefined
  })

  async function open(): Promise<SpeechStream | undefined> {
    const reasons: string[] = []
    for (const { url, openStream } of upstreams) {
      try {
        stream = await openStream?.(options, send)
        if (isOver) stream?.abort()
        return stream
      } catch (error) {
        reasons.push(`${url.host}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    throw new SpeechError(503, `None of the servers behind this one opens a stream. ${reasons.join('; ')}`)
  }

  return {
    get audioSeconds() {
      return stream?.audioSeconds ?? 0
    },
    write: async (audio) => (await opened)?.write(audio),
    finalize: () => void opened.then((each) => each?.finalize()),
    close: async () => (await opened)?.close(),
    abort() {
      isOver = true
      stream?.abort()
    },
  }
}
