import type { Readable } from 'node:stream'
import type { Clock } from '../wire/clock.ts'
import { openAudioSource, type Containers } from './audio-source.ts'
import { createConversation } from './conversation.ts'
import { openListenSocket } from './listen-socket.ts'
import { createLiveLine } from './live-line.ts'
import type { Output } from './output.ts'
import { paced } from './pace.ts'
import type { ServerMessage } from './server-message.ts'

export interface ListenOptions {
  /** Where the API is: `http://127.0.0.1:8080`. */
  readonly url: string
  readonly key: string
  /** An audio file, or `-` for standard input. */
  readonly path: string
  readonly stdin: Readable
  readonly out: Output
  readonly clock: Clock
  /** Aborted by Ctrl-C: no more audio is sent, the last words are waited for. */
  readonly signal: AbortSignal
  /** `real-time` (the default) sends audio as fast as it was spoken, `unpaced` as fast as it is taken. */
  readonly pace?: 'real-time' | 'unpaced'
  /** Prints every message of the server as one line of JSON instead of the words. */
  readonly json?: boolean
  /** Of bare samples on standard input. */
  readonly sampleRateHz?: number
  readonly channels?: number
  /** Other containers than WAV. */
  readonly containers?: Containers
  /** Further query parameters: `language`, `endpointing`, … */
  readonly parameters?: Readonly<Record<string, string>>
}

/** What came of a stream. */
export interface Heard {
  readonly requestId: string | undefined
  /** All final words. */
  readonly transcript: string
  readonly sentSeconds: number
}

const CHUNK_MS = 100

/**
 * Streams audio to the API and prints the words as they come back. Rejects with a `ClientError` when the audio cannot
 * be read, the server refuses, or the stream ends before its last words.
 */
export async function listenTo(options: ListenOptions): Promise<Heard> {
  const hangUp = new AbortController()
  const signal = AbortSignal.any([options.signal, hangUp.signal])
  const source = await openAudioSource({
    path: options.path,
    stdin: options.stdin,
    sampleRateHz: options.sampleRateHz ?? 16_000,
    channels: options.channels ?? 1,
    chunkMs: CHUNK_MS,
    containers: options.containers,
    signal,
  })
  const chunks = options.pace === 'unpaced' ? source.chunks : paced(source.chunks, { clock: options.clock, signal })

  const printer = createPrinter(options)
  let sentSeconds = 0
  try {
    const parameters = { ...source.parameters, ...options.parameters }
    const conversation = await openListenSocket({ url: options.url, key: options.key, parameters }, (socket) =>
      createConversation(socket, { clock: options.clock, onMessage: (message) => printer.print(message) }),
    )
    conversation.closed.addEventListener('abort', () => hangUp.abort(), { once: true })
    try {
      for await (const { bytes, seconds } of chunks) {
        if (!(await conversation.send(bytes))) break
        sentSeconds += seconds
      }
      await conversation.finish()
    } finally {
      conversation.drop()
    }
    return {
      requestId: conversation.requestId,
      transcript: printer.words.join(' '),
      sentSeconds: Math.round(sentSeconds * 1000) / 1000,
    }
  } finally {
    hangUp.abort()
    printer.end()
  }
}

/** Prints messages as lines of JSON or as words, and keeps the final words. */
function createPrinter({ out, json = false }: { out: Output; json?: boolean }): {
  print(message: ServerMessage): void
  end(): void
  readonly words: string[]
} {
  const line = createLiveLine(out)
  const words: string[] = []
  return {
    words,
    end: () => line.end(),
    print(message) {
      if (json) out.write(`${JSON.stringify(message.raw)}\n`)
      if (message.type !== 'words') return
      if (message.isFinal && message.text) words.push(message.text)
      if (json) return
      if (message.isFinal) line.final(message.text)
      else line.interim(message.text)
    },
  }
}
