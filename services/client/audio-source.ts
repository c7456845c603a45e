import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { ClientError } from './client-error.ts'
import { unreadable } from './read-error.ts'
import { readWavHeader, type WavHeader } from './wav-header.ts'

/** Audio to be streamed, and what the server has to be told about it. */
export interface AudioSource {
  /** Query parameters of the socket. Empty: the audio speaks for itself by its header. */
  readonly parameters: Readonly<Record<string, string>>
  /** Of samples pieces of `chunkMs` milliseconds; the last one may be shorter. */
  readonly chunks: AsyncIterable<Chunk>
}

export interface Chunk {
  readonly bytes: Buffer
  /** How long the audio is that comes with them. */
  readonly seconds: number
}

/** What tells compressed audio and its length. */
export interface Containers {
  /** Whether a container of audio begins with these bytes: four thousand, where there are so many. */
  readonly begins: (bytes: Uint8Array) => boolean
  readonly meter: () => AudioMeter
}

export interface AudioMeter {
  /** Seconds of audio that the next bytes bring. */
  secondsOf(bytes: Uint8Array): Promise<number>
  close(): void
}

export interface AudioSourceOptions {
  /** An audio file, or `-` for standard input, which may also hold bare samples. */
  readonly path: string
  readonly stdin: Readable
  /** Of bare samples (signed 16 bit, little endian) on standard input. */
  readonly sampleRateHz: number
  readonly channels: number
  readonly chunkMs: number
  /** Other containers than WAV; absent: none is known. */
  readonly containers: Containers | undefined
  /** Ends the audio early. */
  readonly signal: AbortSignal
}

const SAMPLE_BYTES = 2

/** A header longer than this is not one: room for a picture of the cover. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024
/** What the server decides by, too: enough to tell MPEG audio that is joined in the middle from samples. */
const SIGNATURE_BYTES = 4 * 1024
/** Of compressed audio: a third of a second of what is compressed most. */
const COMPRESSED_CHUNK_BYTES = 1024

/** Opens audio and reads as much of it as tells its format. Rejects with a `ClientError` when it cannot be streamed. */
export async function openAudioSource(options: AudioSourceOptions): Promise<AudioSource> {
  const { path, containers } = options
  const bytes = readUntil(options)
  const { header, read } = await readHeader(bytes, path)
  if (header) return sourceOf(joined(read, bytes), header, options.chunkMs)

  const start = containers ? await readOn(read, bytes) : read
  if (containers?.begins(start.subarray(0, SIGNATURE_BYTES))) {
    const chunks = metered(cut(joined(start, bytes), { chunkBytes: COMPRESSED_CHUNK_BYTES }), containers.meter())
    return { parameters: {}, chunks }
  }
  if (path !== '-') {
    throw new ClientError(
      `${path} is not audio that can be streamed. Live audio is an audio file, or signed 16-bit samples on standard input (-).`,
    )
  }
  const { sampleRateHz, channels } = options
  const bytesPerSecond = sampleRateHz * channels * SAMPLE_BYTES
  const bare: WavHeader = {
    encoding: 'linear16',
    sampleRateHz,
    channels,
    bytesPerSecond,
    dataOffset: 0,
    dataBytes: undefined,
  }
  return sourceOf(joined(start, bytes), bare, options.chunkMs)
}

/** Of samples, with a header or bare. */
function sourceOf(bytes: AsyncIterable<Buffer>, header: WavHeader, chunkMs: number): AudioSource {
  const { encoding, channels, bytesPerSecond, dataOffset, dataBytes } = header
  // Samples are sent bare and described by parameters; any other coding needs its header to be understood.
  const isBare = encoding === 'linear16'
  const chunkBytes = toWholeFrames((bytesPerSecond * chunkMs) / 1000, isBare ? SAMPLE_BYTES * channels : 1)
  const part = isBare ? { chunkBytes, skipBytes: dataOffset, limitBytes: dataBytes } : { chunkBytes }
  return { parameters: isBare ? describe(header) : {}, chunks: timed(cut(bytes, part), bytesPerSecond) }
}

async function* timed(pieces: AsyncIterable<Buffer>, bytesPerSecond: number): AsyncGenerator<Chunk> {
  for await (const bytes of pieces) yield { bytes, seconds: bytes.length / bytesPerSecond }
}

async function* metered(pieces: AsyncIterable<Buffer>, meter: AudioMeter): AsyncGenerator<Chunk> {
  try {
    // What cannot be decoded here is for the server to refuse.
    for await (const bytes of pieces) yield { bytes, seconds: await meter.secondsOf(bytes).catch(() => 0) }
  } finally {
    meter.close()
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

/** As much as a signature takes, if there is so much. */
async function readOn(read: Buffer, bytes: AsyncGenerator<Buffer>): Promise<Buffer> {
  const pieces = [read]
  for (let length = read.length; length < SIGNATURE_BYTES;) {
    const next = await bytes.next()
    if (next.done) break
    pieces.push(next.value)
    length += next.value.length
  }
  return Buffer.concat(pieces)
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}

interface Part {
  readonly chunkBytes: number
  readonly skipBytes?: number
  readonly limitBytes?: number | undefined
}

/** Cuts bytes into pieces of one size, of the part that starts after `skipBytes` and is `limitBytes` long at most. */
async function* cut(
  bytes: AsyncIterable<Buffer>,
  { chunkBytes, skipBytes = 0, limitBytes = Infinity }: Part,
): AsyncGenerator<Buffer> {
  let skip = skipBytes
  let left = limitBytes
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
