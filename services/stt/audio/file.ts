import { SpeechError } from '../errors.ts'
import { bytesPerFrame, secondsOf } from './format.ts'
import type { PcmFormat } from './format.ts'
import { detectContainer } from './signature.ts'
import type { Container } from './signature.ts'
import { readWavHeader } from './wav.ts'

/** An audio file whose header was read; nothing is decoded yet. */
export interface OpenedFile {
  readonly format: PcmFormat
  /** Whole frames, a view into the file. */
  readonly pcm: Uint8Array
  readonly seconds: number
}

/**
 * Reads what an uploaded file is and how long it is. A file cut short is taken as far as it goes.
 * @throws {@link SpeechError} 400 without audio, 413 for more than `maxSeconds`, 415 for what cannot be decoded.
 */
export function openAudioFile(bytes: Uint8Array, maxSeconds: number): OpenedFile {
  if (bytes.length === 0) throw new SpeechError(400, 'The request has no audio.')
  const container = detectContainer(bytes)
  if (container !== 'wav') throw undecodable(container)

  const header = readWavHeader(bytes)
  if (header === 'incomplete') throw new SpeechError(415, 'The WAV file ends before its audio starts.')
  const { format, dataOffset, dataBytes } = header
  const available = bytes.length - dataOffset
  const frameBytes = bytesPerFrame(format)
  const usable = Math.floor(Math.min(dataBytes ?? available, available) / frameBytes) * frameBytes
  if (usable === 0) throw new SpeechError(400, 'The WAV file holds no audio.')

  const seconds = secondsOf(format, usable)
  if (seconds > maxSeconds) throw tooLong(seconds, maxSeconds)
  return { format, pcm: bytes.subarray(dataOffset, dataOffset + usable), seconds }
}

/** 415 that names the format, where one was recognised. */
export function undecodable(container: Container | undefined): SpeechError {
  const what = container ? `${container.toUpperCase()} audio is not supported` : 'The audio format was not recognised'
  return new SpeechError(415, `${what}; send WAV (PCM, float, µ-law or A-law).`)
}

function tooLong(seconds: number, maxSeconds: number): SpeechError {
  return new SpeechError(413, `The audio is ${seconds.toFixed(1)} s long; at most ${maxSeconds} s are accepted.`)
}
