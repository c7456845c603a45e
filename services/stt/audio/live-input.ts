import { SpeechError } from '../errors.ts'
import { secondsOf } from './format.ts'
import type { PcmFormat } from './format.ts'
import { undecodable } from './file.ts'
import { detectContainer, mayBecomeContainer } from './signature.ts'
import { isWav, readWavHeader } from './wav.ts'

/** How the client says it sends: a raw encoding, a WAV stream, or nothing (then the first bytes decide). */
export type DeclaredEncoding = 's16' | 'mulaw' | 'alaw' | 'wav' | 'unknown'

/** The start of a live stream, until its format is known; then PCM bytes pass through. */
export interface LiveInput {
  /** Known once the first bytes have decided. */
  readonly format: PcmFormat | undefined
  /** Seconds of audio received, headers not counted. */
  readonly seconds: number
  /** @returns PCM bytes of `format`, cut anywhere; empty while undecided. @throws {@link SpeechError} 415. */
  push(bytes: Uint8Array): Uint8Array
  /** The stream has ended: what was held back is raw audio after all. */
  finish(): Uint8Array
}

export interface LiveFormat {
  readonly encoding: DeclaredEncoding
  readonly sampleRateHz: number
  readonly channels: number
}

// A header with a picture or a long text in it still fits; more without samples is no audio stream.
const MAX_HEADER_BYTES = 1 << 20

export function createLiveInput(declared: LiveFormat): LiveInput {
  const { sampleRateHz, channels } = declared
  const isRaw = declared.encoding !== 'wav' && declared.encoding !== 'unknown'
  const rawFormat: PcmFormat = { encoding: isRaw ? rawEncoding(declared.encoding) : 's16', sampleRateHz, channels }
  let format: PcmFormat | undefined
  let held = new Uint8Array(0)
  let receivedBytes = 0

  function pass(bytes: Uint8Array): Uint8Array {
    receivedBytes += bytes.length
    return bytes
  }

  function release(as: PcmFormat, from: number): Uint8Array {
    format = as
    const bytes = held.subarray(from)
    held = new Uint8Array(0)
    return pass(bytes)
  }

  // Clients stream whole .wav files while declaring linear16: a header is honoured whatever was declared. The size it
  // declares is not: live writers do not know it.
  function decide(): Uint8Array {
    if (isWav(held)) {
      const header = readWavHeader(held)
      if (header !== 'incomplete') return release(header.format, header.dataOffset)
      if (held.length > MAX_HEADER_BYTES) throw new SpeechError(415, 'The WAV stream never comes to its audio.')
      return new Uint8Array(0)
    }
    if (isRaw) return mayBecomeWav(held) ? new Uint8Array(0) : release(rawFormat, 0)

    const container = detectContainer(held)
    if (container) throw undecodable(container)
    if (mayBecomeContainer(held)) return new Uint8Array(0)
    if (declared.encoding === 'wav') throw undecodable(undefined)
    return release(rawFormat, 0)
  }

  return {
    get format() {
      return format
    },
    get seconds() {
      return format ? secondsOf(format, receivedBytes) : 0
    },
    push(bytes) {
      if (format) return pass(bytes)
      held = Buffer.concat([held, bytes])
      return decide()
    },
    finish() {
      if (format || held.length === 0 || isWav(held)) return new Uint8Array(0)
      if (declared.encoding === 'wav') throw undecodable(undefined)
      return release(rawFormat, 0)
    },
  }
}

function rawEncoding(encoding: DeclaredEncoding): 's16' | 'mulaw' | 'alaw' {
  return encoding === 'mulaw' || encoding === 'alaw' ? encoding : 's16'
}

function mayBecomeWav(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 4))
  return bytes.length < 12 && ('RIFF'.startsWith(start) || 'RF64'.startsWith(start))
}
