import { type AudioDecoder, toMono } from './port.ts'

/** Vorbis in Ogg. */
export async function createVorbisDecoder(): Promise<AudioDecoder> {
  const { OggVorbisDecoder } = await import('@wasm-audio-decoders/ogg-vorbis')
  const decoder = new OggVorbisDecoder()
  await decoder.ready
  return {
    push: async (bytes) => toMono(await decoder.decode(bytes)),
    finish: async () => toMono(await decoder.flush()),
    close: () => decoder.free(),
  }
}
