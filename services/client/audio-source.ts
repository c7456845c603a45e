import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { ClientError } from './client-error.ts'
import { unreadable } from './read-error.ts'
import { readWavHeader, type WavHeader } from './wav-header.ts'

/** Audio to be streamed, and what the server has to be told about it. */
export interface AudioSource {
  /** Query parameters of the socket. Empty: the audio speaks for itself by its header. */
  readonly parameters: Readonly<Record<string, string>>
  readonly bytesPerSecond: number
  /** Pieces of `chunkMs` milliseconds; the last one may be shorter. */
  readonly chunks: AsyncIterable<Buffer>
}

export interface AudioSourceOptions {
  /** A WAV file, or `-` for standard input, which may also hold bare samples. */
  readonly path: string
  readonly stdin: Readable
  /** Of bare samples (signed 16 bit, little endian) on standard input. */
  readonly sampleRateHz: number
  readonly channels: number
  readonly chunkMs: number
  /** Ends the audio early. */
  readonly signal: AbortSignal
}

const SAMPLE_BYTES = 2

/** A header longer than this is not one: room for a picture of the cover. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024

/** Opens audio and reads as much of it as tells its format. Rejects with a `ClientError` when it cannot be streamed. */
export async function openAudioSource(options: AudioSourceOptions): Promise<AudioSource> {
  const bytes = readUntil(options)
  const { header, read } = await readHeader(bytes, options.path)
  if (!header && options.path !== '-') {
    throw new ClientError(
      `${options.path} is not a WAV file. Live audio is a WAV file, or signed 16-bit samples on standard input (-).`,
    )
  }

  const bytesPerSecond = header?.bytesPerSecond ?? options.sampleRateHz * options.channels * SAMPLE_BYTES
  const frameBytes = header?.encoding === 'other' ? 1 : SAMPLE_BYTES * (header?.channels ?? options.channels)
  const chunkBytes = toWholeFrames((bytesPerSecond * options.chunkMs) / 1000, frameBytes)
  // Samples are sent bare and described by parameters; any other coding needs its header to be understood.
  const skipBytes = header?.encoding === 'linear16' ? header.dataOffset : 0
  const limitBytes = header?.encoding === 'linear16' ? header.dataBytes : undefined
  return {
    parameters: header?.encoding === 'other' ? {} : describe(header ?? options),
    bytesPerSecond,
    chunks: cut(joined(read, bytes), { chunkBytes, skipBytes, limitBytes }),
  }
}

function describe({ sampleRateHz, channels }: { sampleRateHz: number; channels: number }): Record<string, string> {
  return { encoding: 'linear16', sample_rate: String(sampleRateHz), channels: String(channels) }
}

function toWholeFrames(bytes: number, frameBytes: number): number {
  return Math.max(1, Math.floor(bytes / frameBytes)) * frameBytes
}

/** The bytes of the file or of standard input; an abort is their end, not a failure. */
async function* readUntil({ path, stdin, signal }: AudioSourceOptions): AsyncGenerator<Buffer> {
  const stream = path === '-' ? stdin : createReadStream(path)
  const end = (): void => void stream.destroy()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  try {
    for await (const piece of stream) yield Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece), 'latin1')
  } catch (error) {
    if (!signal.aborted) throw unreadable(path, error)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function readHeader(
  bytes: AsyncGenerator<Buffer>,
  path: string,
): Promise<{ header: WavHeader | undefined; read: Buffer }> {
  let read = Buffer.alloc(0)
  for (;;) {
    const reading = readWavHeader(read)
    if (reading.state === 'wav') return { header: reading.header, read }
    if (reading.state === 'not-wav') return { header: undefined, read }
    if (reading.state === 'broken') throw new ClientError(`${path} is a damaged WAV file: ${reading.reason}.`)

    const next = await bytes.next()
    if (next.done || read.length > MAX_HEADER_BYTES) {
      // Less than a signature says nothing; standard input may be that short.
      if (path === '-' && read.length < 12) return { header: undefined, read }
      throw new ClientError(`${path} is a damaged WAV file: it ends before its samples.`)
    }
    read = Buffer.concat([read, next.value])
  }
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}

/** Cuts bytes into pieces of one size, of the part that starts after `skipBytes` and is `limitBytes` long at most. */
async function* cut(
  bytes: AsyncIterable<Buffer>,
  { chunkBytes, skipBytes, limitBytes }: { chunkBytes: number; skipBytes: number; limitBytes: number | undefined },
): AsyncGenerator<Buffer> {
  let skip = skipBytes
  let left = limitBytes ?? Infinity
  let held = Buffer.alloc(0)
  for await (const piece of bytes) {
    const wanted = piece.subarray(skip).subarray(0, left)
    skip = Math.max(0, skip - piece.length)
    left -= wanted.length
    held = Buffer.concat([held, wanted])
    for (; held.length >= chunkBytes; held = held.subarray(chunkBytes)) yield held.subarray(0, chunkBytes)
    if (left === 0) break
  }
  if (held.length > 0) yield held
}
