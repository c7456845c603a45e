import { type AudioDecoder, toMono } from './port.ts'

/** The library looks at so many bytes of its first piece to tell FLAC from Ogg. */
const MARK_BYTES = 4

/** FLAC by itself or in Ogg. */
export async function createFlacDecoder(): Promise<AudioDecoder> {
  const { FLACDecoder } = await import('@wasm-audio-decoders/flac')
  const decoder = new FLACDecoder()
  await decoder.ready
  let start = new Uint8Array(0)
  let isBegun = false

  return {
    async push(bytes) {
      if (isBegun) return toMono(await decoder.decode(bytes))
      start = Buffer.concat([start, bytes])
      if (start.length < MARK_BYTES) return []
      isBegun = true
      return toMono(await decoder.decode(start))
    },
    finish: async () => (isBegun ? toMono(await decoder.flush()) : []),
    close: () => decoder.free(),
  }
}
