import { openDecoder } from './codecs/open-decoder.ts'
import type { AudioDecoder } from './codecs/port.ts'
import { isPcm, SAMPLE_RATE_HZ, secondsOf } from './format.ts'
import { createLiveInput } from './live-input.ts'

/** Tells how much audio a stream of any container brings, piece by piece, from what it decodes to. */
export function createAudioMeter(): {
  /** Seconds of audio that the next bytes bring; none while its format is not known. @throws {@link SpeechError} 415 */
  secondsOf(bytes: Uint8Array): Promise<number>
  close(): void
} {
  const input = createLiveInput({ encoding: 'unknown', sampleRateHz: SAMPLE_RATE_HZ, channels: 1 })
  let decoder: AudioDecoder | undefined
  return {
    async secondsOf(bytes) {
      const pieces = input.push(bytes)
      const { format } = input
      if (!format) return 0
      if (isPcm(format)) return secondsOf(format, sumOf(pieces.map(({ length }) => length)))
      decoder ??= await openDecoder(format, Number.POSITIVE_INFINITY)
      let seconds = 0
      for (const piece of pieces) {
        const decoded = await decoder.push(piece)
        seconds += sumOf(decoded.map(({ samples, sampleRateHz }) => samples.length / sampleRateHz))
      }
      return seconds
    },
    close: () => decoder?.close(),
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0)
}
