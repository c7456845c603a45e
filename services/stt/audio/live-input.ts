import { SpeechError } from '../errors.ts'
import { isCompressed } from './file.ts'
import { type AudioFormat, type CompressedEncoding, isPcm, secondsOf } from './format.ts'
import { undecodable } from './refusals.ts'
import { type Container, detectContainer, mayBecomeContainer } from './signature.ts'
import { isWav, readWavHeader } from './wav.ts'

/** How the client says it sends: a raw encoding, a container, or nothing (then the first bytes decide). */
export type DeclaredEncoding = RawEncoding | CompressedEncoding | 'wav' | 'unknown'

/** What can do without a container. `opus` may have one all the same. */
type RawEncoding = 's16' | 'mulaw' | 'alaw' | 'opus'

/** The start of a live stream, until its format is known; then its bytes pass through. */
export interface LiveInput {
  /** Known once the first bytes have decided. */
  readonly format: AudioFormat | undefined
  /** Seconds of PCM received, headers not counted; undefined where only decoding tells. */
  readonly seconds: number | undefined
  /** @returns pieces of `format`; none while undecided. @throws {@link SpeechError} 415. */
  push(bytes: Uint8Array): readonly Uint8Array[]
  /** The stream has ended: what was held back is raw audio after all. */
  finish(): readonly Uint8Array[]
}

export interface LiveFormat {
  readonly encoding: DeclaredEncoding
  readonly sampleRateHz: number
  readonly channels: number
}

// A header with a picture or a long text in it still fits; more without samples is no audio stream.
const MAX_HEADER_BYTES = 1 << 20

const RAW: ReadonlySet<string> = new Set<RawEncoding>(['s16', 'mulaw', 'alaw', 'opus'])

const MPEG: ReadonlySet<DeclaredEncoding> = new Set<DeclaredEncoding>(['unknown', 'mp3', 'aac'])

export function createLiveInput(declared: LiveFormat): LiveInput {
  const raw = rawFormat(declared)
  let format: AudioFormat | undefined
  /** Kept apart: pieces of Opus are packets. */
  let held: Uint8Array[] = []
  let receivedBytes = 0

  function pass(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const piece of pieces) receivedBytes += piece.length
    return pieces
  }

  function release(as: AudioFormat, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    format = as
    held = []
    return pass(pieces)
  }

  // Clients stream whole files while declaring something else: a signature is honoured whatever was declared. Of a raw encoding only
  // that of a WAV header, which no sound looks like by chance. The size it declares is not: live writers do not know it.
  function decide(): readonly Uint8Array[] {
    const start = Buffer.concat(held)
    if (isWav(start)) {
      const header = readWavHeader(start)
      if (header !== 'incomplete') return release(header.format, [start.subarray(header.dataOffset)])
      if (start.length > MAX_HEADER_BYTES) throw new SpeechError(415, 'The WAV stream never comes to its audio.')
      return []
    }
    if (raw.isDeclared) return decideRaw(start)

    const container = detectContainer(start)
    if (container) return release({ encoding: streamable(container) }, [start])
    if (mayBecomeContainer(start, { mayBeMpeg: MPEG.has(declared.encoding) })) return []
    if (isContainer(declared.encoding)) throw undecodable(undefined)
    return release(raw.format, held)
  }

  function decideRaw(start: Uint8Array): readonly Uint8Array[] {
    const container = declared.encoding === 'opus' ? detectContainer(start) : undefined
    if (container === 'ogg' || container === 'webm') return release({ encoding: container }, [start])
    return mayBecomeWav(start) ? [] : release(raw.format, held)
  }

  return {
    get format() {
      return format
    },
    get seconds() {
      if (format && !isPcm(format)) return undefined
      return format ? secondsOf(format, receivedBytes) : 0
    },
    push(bytes) {
      if (format) return pass([bytes])
      // A copy: the bytes wait longer than their buffer may live.
      held.push(new Uint8Array(bytes))
      return decide()
    },
    finish() {
      const start = Buffer.concat(held)
      if (format || start.length === 0 || isWav(start)) return []
      if (isContainer(declared.encoding)) throw undecodable(undefined)
      return release(raw.format, held)
    },
  }
}

/** What is sent without a container: as declared, or 16-bit samples. */
function rawFormat({ encoding, sampleRateHz, channels }: LiveFormat): { format: AudioFormat; isDeclared: boolean } {
  const isDeclared = RAW.has(encoding)
  if (encoding === 'opus') return { format: { encoding, channels }, isDeclared }
  const sample = encoding === 'mulaw' || encoding === 'alaw' ? encoding : 's16'
  return { format: { encoding: sample, sampleRateHz, channels }, isDeclared }
}

function isContainer(encoding: DeclaredEncoding): boolean {
  return encoding !== 'unknown' && !RAW.has(encoding)
}

function streamable(container: Container): Exclude<CompressedEncoding, 'm4a'> {
  if (container === 'm4a') return 'mp4'
  if (isCompressed(container)) return container
  throw undecodable(container)
}

function mayBecomeWav(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 4))
  return bytes.length < 12 && ('RIFF'.startsWith(start) || 'RF64'.startsWith(start))
}
