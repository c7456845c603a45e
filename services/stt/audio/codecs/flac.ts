import { decodeParsed } from './parsed.ts'
import type { AudioDecoder } from './port.ts'

/** FLAC by itself or in Ogg. */
export async function createFlacDecoder(): Promise<AudioDecoder> {
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac')
  const decoder = new FLACDecoder()
  await decoder.ready
  return decodeParsed('FLAC', decoder)
}
