import { SpeechError } from '../../errors.ts'
import { type AudioDecoder, type Channels, toMono } from './port.ts'

/** What the decoders of FLAC and of Vorbis have in common: a parser that finds frames in bytes cut anywhere. */
interface ParsedDecoder {
  decode(bytes: Uint8Array): Promise<Channels>
  flush(): Promise<Channels>
  free(): void
}

/** The parser looks at so many bytes of its first piece to tell what they are. */
const MARK_BYTES = 4

/** Holds the first bytes back until there are enough, and turns what the parser throws into a refusal or an end. */
export function decodeParsed(name: string, decoder: ParsedDecoder): AudioDecoder {
  let start = new Uint8Array(0)
  let isBegun = false

  async function decode(bytes: Uint8Array): ReturnType<AudioDecoder['push']> {
    try {
      return toMono(await decoder.decode(bytes))
    } catch (cause) {
      throw new SpeechError(415, `The ${name} audio is damaged.`, { cause })
    }
  }

  return {
    async push(bytes) {
      if (isBegun) return decode(bytes)
      start = Buffer.concat([start, bytes])
      isBegun = start.length >= MARK_BYTES
      return isBegun ? decode(start) : []
    },
    // A last frame or page that was cut in two makes the parser throw: it is left out.
    finish: async () => (isBegun ? decoder.flush().then(toMono, () => []) : []),
    close: () => decoder.free(),
  }
}
