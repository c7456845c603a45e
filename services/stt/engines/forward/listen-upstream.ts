import { WebSocket } from 'ws'
import type { SpeechMessage, SpeechResult } from '../../../wire/speech.ts'
import { AUTO } from '../../domain/language.ts'
import type { SpeechStream, StreamOptions } from '../port.ts'
import { listOf, meanConfidence, member, numberOf, textOf, wordOf } from './json.ts'
import type { FileExchange, Upstream, UpstreamOptions } from './upstream.ts'

/** Aldea's and Deepgram's API: files by REST, live audio by socket, at one path. */
export function listenUpstream(url: URL, { key, model }: UpstreamOptions): Upstream {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Token ${key}` }
  const terms = termsParameter(model)
  const at = (query: Readonly<Record<string, string | undefined>>, keyterms: readonly string[] = []): URL => {
    const asked = new URL(url)
    for (const [name, value] of Object.entries({ model, ...query })) {
      if (value !== undefined) asked.searchParams.set(name, value)
    }
    for (const term of keyterms) asked.searchParams.append(terms, term)
    return asked
  }

  const file: FileExchange = {
    request: ({ bytes, language, style, keyterms }) => ({
      url: at({ ...(language === AUTO ? { detect_language: 'true' } : { language }), ...style }, keyterms),
      // Without `timestamps` Aldea lists no words; Deepgram always does.
      headers: { ...headers, timestamps: 'true', 'content-type': 'application/octet-stream' },
      body: bytes,
    }),
    read(answer) {
      const best = member(answer, 'results', 'channels', 0, 'alternatives', 0)
      if (best === undefined) throw new Error('The answer holds no alternatives.')
      const words = listOf(member(best, 'words')).flatMap(wordOf)
      const audioSeconds = numberOf(member(answer, 'metadata', 'duration'))
      const channels = numberOf(member(answer, 'metadata', 'channels'))
      const language = textOf(member(answer, 'results', 'channels', 0, 'detected_language'))
      const languageConfidence = numberOf(member(answer, 'results', 'channels', 0, 'language_confidence'))
      return {
        text: textOf(member(best, 'transcript')),
        words,
        confidence: numberOf(member(best, 'confidence')) ?? meanConfidence(words),
        ...(audioSeconds !== undefined && { audioSeconds }),
        ...(channels !== undefined && { channels }),
        ...(language && { language }),
        ...(languageConfidence !== undefined && { languageConfidence }),
      }
    },
  }

  return {
    url,
    file,
    openStream: (options, send) => openStream(at(queryOf(options, model), options.keyterms), { headers, send }),
  }
}

/** Deepgram's newer models know `keyterm` and refuse `keywords`; for all others it is the other way round. */
function termsParameter(model: string | undefined): 'keyterm' | 'keywords' {
  return /^(?:nova-3|flux)/.test(model ?? '') ? 'keyterm' : 'keywords'
}

/** Live, Deepgram recognises several languages but detects none; Aldea detects. */
function liveLanguage(language: string | undefined, model: string | undefined): string | undefined {
  return language === AUTO && model?.startsWith('nova') ? 'multi' : language
}

function queryOf(options: StreamOptions, model: string | undefined): Record<string, string | undefined> {
  const isRaw = options.encoding !== undefined
  return {
    encoding: options.encoding,
    sample_rate: isRaw ? String(options.sampleRateHz) : undefined,
    channels: isRaw ? String(options.channels) : undefined,
    language: liveLanguage(options.language, model),
    ...options.style,
    interim_results: String(options.interimResults),
    endpointing: String(options.endpointingMs),
    utterance_end_ms: options.utteranceEndMs === undefined ? undefined : String(options.utteranceEndMs),
    vad_events: options.vadEvents ? 'true' : undefined,
  }
}

interface Opening {
  readonly headers: Readonly<Record<string, string>>
  readonly send: (message: SpeechMessage) => void
}

/** Rejects when the socket does not open; what breaks later is a `Failure`. */
function openStream(url: URL, { headers, send }: Opening): Promise<SpeechStream> {
  const socketUrl = new URL(url)
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(socketUrl, { headers, perMessageDeflate: false })

  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(speechStream(socket, send))
    })
  })
}

function speechStream(socket: WebSocket, send: (message: SpeechMessage) => void): SpeechStream {
  let audioSeconds = 0
  let isClosing = false
  let isOver = false

  socket.on('message', (data: Buffer, isBinary) => {
    if (isOver || isBinary) return
    const said = parse(data.toString('utf8'))
    audioSeconds = Math.max(audioSeconds, endOf(said) ?? 0)
    const message = toMessage(said)
    if (message) send(message)
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', (code) => {
      if (!isOver && !isClosing) {
        isOver = true
        send({ type: 'Failure', status: 503, error: `The server behind this one closed the stream with ${code}.` })
      }
      resolve()
    })
  })
  const say = (type: string): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ type }))
  }

  return {
    get audioSeconds() {
      return audioSeconds
    },
    write: (audio) =>
      new Promise((resolve) => {
        if (socket.readyState !== socket.OPEN) return resolve()
        socket.send(audio, () => resolve())
      }),
    finalize: () => say('Finalize'),
    async close() {
      isClosing = true
      say('CloseStream')
      await closed
      if (!isOver) send({ type: 'Summary', audioSeconds })
      isOver = true
    },
    abort() {
      isOver = true
      socket.terminate()
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Where in the audio a message ends, in seconds. */
function endOf(said: unknown): number | undefined {
  if (member(said, 'type') === 'Metadata') return numberOf(member(said, 'duration'))
  if (member(said, 'type') !== 'Results') return undefined
  return (numberOf(member(said, 'start')) ?? 0) + (numberOf(member(said, 'duration')) ?? 0)
}

/** In the words of `services/wire/speech.ts`; nothing for what the proxies say themselves. */
function toMessage(said: unknown): SpeechMessage | undefined {
  switch (member(said, 'type')) {
    case 'Results':
      return toResult(said)
    case 'SpeechStarted':
      return { type: 'SpeechStarted', atSeconds: numberOf(member(said, 'timestamp')) ?? 0 }
    case 'UtteranceEnd':
      return { type: 'UtteranceEnd', lastWordEndSeconds: numberOf(member(said, 'last_word_end')) ?? 0 }
    default:
      return undefined
  }
}

function toResult(said: unknown): SpeechResult {
  const best = member(said, 'channel', 'alternatives', 0)
  const words = listOf(member(best, 'words')).flatMap(wordOf)
  return {
    type: 'Result',
    startSeconds: numberOf(member(said, 'start')) ?? 0,
    durationSeconds: numberOf(member(said, 'duration')) ?? 0,
    isFinal: member(said, 'is_final') === true,
    speechFinal: member(said, 'speech_final') === true,
    fromFinalize: member(said, 'from_finalize') === true,
    text: textOf(member(best, 'transcript')),
    confidence: numberOf(member(best, 'confidence')) ?? meanConfidence(words),
    words,
  }
}
