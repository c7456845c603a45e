import { SpeechError } from '../errors.ts'
import { type AudioFormat, bytesPerFrame, type CompressedEncoding, type PcmFormat, secondsOf } from './format.ts'
import { tooLong, undecodable } from './refusals.ts'
import { detectContainer } from './signature.ts'
import type { Container } from './signature.ts'
import { readWavHeader } from './wav.ts'

/** An audio file of a known format; nothing is decoded yet. */
export interface OpenedFile<F extends AudioFormat = AudioFormat> {
  readonly format: F
  /** What is to be decoded, a view into the file: whole frames of PCM, or all of what is compressed. */
  readonly audio: Uint8Array
}

/** Of whole files. */
type FileEncoding = Exclude<CompressedEncoding, 'mp4'>

const COMPRESSED: ReadonlySet<string> = new Set<FileEncoding>(['mp3', 'aac', 'flac', 'ogg', 'webm', 'm4a'])

/**
 * Reads what an uploaded file is. A file cut short is taken as far as it goes. How long a compressed one is shows when
 * it is decoded.
 * @throws {@link SpeechError} 400 without audio, 413 for more than `maxSeconds`, 415 for what cannot be decoded.
 */
export function openAudioFile(bytes: Uint8Array, maxSeconds: number): OpenedFile {
  if (bytes.length === 0) throw new SpeechError(400, 'The request has no audio.')
  const container = detectContainer(bytes)
  if (container === 'wav') return openWav(bytes, maxSeconds)
  if (!isCompressed(container)) throw undecodable(container)
  return { format: { encoding: container }, audio: bytes }
}

/** @throws as {@link openAudioFile}. */
export function openWav(bytes: Uint8Array, maxSeconds: number): OpenedFile<PcmFormat> {
  const header = readWavHeader(bytes)
  if (header === 'incomplete') throw new SpeechError(415, 'The WAV file ends before its audio starts.')
  const { format, dataOffset, dataBytes } = header
  const available = bytes.length - dataOffset
  const frameBytes = bytesPerFrame(format)
  const usable = Math.floor(Math.min(dataBytes ?? available, available) / frameBytes) * frameBytes
  if (usable === 0) throw new SpeechError(400, 'The WAV file holds no audio.')

  const seconds = secondsOf(format, usable)
  if (seconds > maxSeconds) throw tooLong(maxSeconds, seconds)
  return { format, audio: bytes.subarray(dataOffset, dataOffset + usable) }
}

export function isCompressed(container: Container | undefined): container is FileEncoding {
  return container !== undefined && COMPRESSED.has(container)
}
