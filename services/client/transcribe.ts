import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { request } from '../wire/undici.ts'
import { ClientError, refusal, unreachable } from './client-error.ts'
import { parseObject, toList, toObject, transcriptOf } from './json.ts'
import { toLine } from './one-line.ts'
import type { Output } from './output.ts'
import { unreadable } from './read-error.ts'

export interface TranscribeOptions {
  /** Where the API is: `http://127.0.0.1:8080`. */
  readonly url: string
  readonly key: string
  /** An audio file, or `-` for one on standard input. */
  readonly path: string
  readonly stdin: Readable
  readonly out: Output
  /** Prints the whole answer, with the times of its words, instead of the transcript. */
  readonly json?: boolean
  /** Further query parameters: `language`, … */
  readonly parameters?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Transcribed {
  readonly transcript: string
  /** The API's answer, as it came. */
  readonly answer: Readonly<Record<string, unknown>>
}

/**
 * Uploads a file to `POST /v1/listen` and prints what was said. The file is streamed, never held. Rejects with a
 * `ClientError` when it cannot be read or the server refuses.
 */
export async function transcribeFile(options: TranscribeOptions): Promise<Transcribed> {
  const recording = await openRecording(options)
  try {
    const { status, body } = await upload(recording, options)
    if (status !== 200) throw refusal(status, body)
    const answer = parseObject(body)
    const transcript = transcriptOf(toList(toObject(answer['results'])['channels'])[0])
    if (transcript === undefined) throw new ClientError(`The answer has no transcript: ${toLine(body).slice(0, 160)}`)
    options.out.write(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : `${toLine(transcript)}\n`)
    return { transcript, answer }
  } finally {
    await recording.close()
  }
}

interface Recording {
  readonly body: Readable
  /** Unknown of what is piped. */
  readonly bytes: number | undefined
  close(): Promise<void>
}

async function openRecording({ path, stdin }: TranscribeOptions): Promise<Recording> {
  if (path === '-') return { body: stdin, bytes: undefined, close: async () => undefined }
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  const stats = await file.stat()
  if (stats.isFile()) {
    const body = file.createReadStream()
    return { body, bytes: stats.size, close: () => closed(body) }
  }
  await file.close()
  throw new ClientError(`${path} is not a file.`)
}

/** Its file is closed with it. */
async function closed(stream: Readable): Promise<void> {
  if (stream.closed) return
  await new Promise<void>((resolve) => {
    stream.once('close', resolve).destroy()
  })
}

async function upload(
  { body, bytes }: Recording,
  { url, key, parameters, json, signal }: TranscribeOptions,
): Promise<{ status: number; body: string }> {
  const address = new URL('/v1/listen', url)
  address.search = new URLSearchParams(parameters).toString()
  try {
    const response = await request(address, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/octet-stream',
        ...(bytes !== undefined && { 'content-length': String(bytes) }),
        ...(json && { timestamps: 'true' }),
      },
      body,
      ...(signal && { signal }),
    })
    return { status: response.statusCode, body: await response.body.text() }
  } catch (error) {
    signal?.throwIfAborted()
    throw unreachable(url, error)
  }
}
