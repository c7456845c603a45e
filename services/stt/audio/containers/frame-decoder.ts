import type { AudioDecoder, Decoded } from '../codecs/port.ts'

/** Decodes the frames of one codec, as containers hold them. */
export interface FrameDecoder {
  decode(frames: readonly Uint8Array[]): Promise<readonly Decoded[]>
  finish(): Promise<readonly Decoded[]>
  close(): void
}

/** Frames as the stream of bytes in which the codec travels without a container. */
export function framesInto(
  decoder: AudioDecoder,
  toBytes: (frames: readonly Uint8Array[]) => Uint8Array,
): FrameDecoder {
  return {
    decode: (frames) => decoder.push(toBytes(frames)),
    finish: () => decoder.finish(),
    close: () => decoder.close(),
  }
}

/** The same where the codec's own header goes before the first frame. */
export function framesAfter(header: Uint8Array, decoder: AudioDecoder): FrameDecoder {
  let before = header
  return framesInto(decoder, (frames) => {
    const bytes = Buffer.concat([before, ...frames])
    before = new Uint8Array(0)
    return bytes
  })
}
