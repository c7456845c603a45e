import { createHash } from 'node:crypto'
import { appendFile, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../../wire/make-folder.ts'
import type { SpeechFailure, SpeechMessage, Transcript } from '../../../wire/speech.ts'
import type { FileOptions, StreamOptions } from '../port.ts'

/** What an engine said of one file or stream: a line of JSON. The last one of several about the same audio counts. */
export type Take = FileTake | StreamTake

export interface FileTake {
  readonly kind: 'file'
  /** Of the options and the audio. */
  readonly key: string
  readonly transcript?: Transcript
  readonly refusal?: SpeechFailure
  readonly tookMs: number
}

export interface StreamTake {
  readonly kind: 'stream'
  /** Of the options and the first {@link HEAD_BYTES} of the audio, by which a stream is known while it is coming. */
  readonly key: string
  /** SHA-256 of the whole audio. */
  readonly audio: string
  readonly cues: readonly Cue[]
}

/** A message, and how far the stream had come when it was sent. */
export interface Cue {
  readonly audioBytes: number
  /** Finalize and CloseStream so far. */
  readonly controls: number
  /** Since the stream had come so far. */
  readonly lagMs: number
  readonly message: SpeechMessage
}

/** A quarter of a second of 16 kHz speech: enough to tell recordings apart. */
export const HEAD_BYTES = 8_000

export function fileKey(bytes: Uint8Array, { language }: Pick<FileOptions, 'language'>): string {
  return createHash('sha256')
    .update(JSON.stringify(['file', language]))
    .update(bytes)
    .digest('hex')
}

export function streamKey(head: Uint8Array, options: StreamOptions): string {
  const { encoding, sampleRateHz, channels, language, interimResults, endpointingMs, utteranceEndMs, vadEvents } =
    options
  const asked = [encoding, sampleRateHz, channels, language, interimResults, endpointingMs, utteranceEndMs, vadEvents]
  return createHash('sha256')
    .update(JSON.stringify(['stream', ...asked]))
    .update(head.subarray(0, HEAD_BYTES))
    .digest('hex')
}

/** @throws Error naming the file and the line that is no take. */
export async function loadTape(file: string): Promise<ReadonlyMap<string, Take>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`The cassette ${file} cannot be read.`, { cause })
  })
  const takes = new Map<string, Take>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const take = parseTake(line)
    if (!take) throw new Error(`Line ${index + 1} of the cassette ${file} is no recording.`)
    takes.set(take.key, take)
  }
  return takes
}

/**
 * What is on it stays. Asked before anything is recorded, so that nobody finds out afterwards.
 * @throws Error naming the file when it cannot be written
 */
export async function openForRecording(file: string): Promise<void> {
  try {
    await makeFolder(dirname(file))
    await appendFile(file, '')
  } catch (cause) {
    throw new Error(`The cassette ${file} cannot be written.`, { cause })
  }
}

/** One write a take: several servers may record on one cassette. */
export async function appendTake(file: string, take: Take): Promise<void> {
  await appendFile(file, `${JSON.stringify(take)}\n`)
}

function parseTake(line: string): Take | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('key' in value) || !('kind' in value)) return undefined
    const isStream = value.kind === 'stream' && 'cues' in value && Array.isArray(value.cues)
    // The members are what the recorder wrote.
    return isStream || value.kind === 'file' ? (value as Take) : undefined
  } catch {
    return undefined
  }
}
