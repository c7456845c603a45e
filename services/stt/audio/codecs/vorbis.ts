import { decodeParsed } from './parsed.ts'
import type { AudioDecoder } from './port.ts'

/** Vorbis in Ogg. */
export async function createVorbisDecoder(): Promise<AudioDecoder> {
  const { OggVorbisDecoder } = await import('@wasm-audio-decoders/ogg-vorbis')
  const decoder = new OggVorbisDecoder()
  await decoder.ready
  return decodeParsed('Vorbis', decoder)
}
