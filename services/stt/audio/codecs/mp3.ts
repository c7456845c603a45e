import { type AudioDecoder, toMono } from './port.ts'

/** MPEG audio layers I to III, with or without tags; a stream may begin in mid-frame, as radio does. */
export async function createMp3Decoder(): Promise<AudioDecoder> {
  const { MPEGDecoder } = await import('mpg123-decoder')
  const decoder = new MPEGDecoder()
  await decoder.ready
  return {
    push: async (bytes) => toMono(decoder.decode(bytes)),
    finish: async () => [],
    close: () => decoder.free(),
  }
}
