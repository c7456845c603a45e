import { SpeechError } from '../errors.ts'
import { openDecoder } from './codecs/open-decoder.ts'
import { type Decoded, STEP_BYTES } from './codecs/port.ts'
import { type AudioFormat, type CompressedFormat, isPcm, type PcmFormat, SAMPLE_RATE_HZ } from './format.ts'
import { joinSamples } from './join-samples.ts'
import { createPcmDecoder } from './pcm-decoder.ts'
import { assertSampleRate, tooLong } from './refusals.ts'
import { createResampler, type Resampler } from './resampler.ts'

/** Audio of any format in, 16 kHz mono samples out. */
export interface Normaliser {
  /** Of the audio that came in; 1 while nothing is known. */
  readonly channels: number
  /** @throws {@link SpeechError} 413 or 415. */
  push(bytes: Uint8Array): Promise<Float32Array>
  finish(): Promise<Float32Array>
  close(): void
}

/** At most `maxSeconds` of audio are let out by one call: a few bytes of compressed audio may be days of silence. */
export async function createNormaliser(format: AudioFormat, maxSeconds: number): Promise<Normaliser> {
  return isPcm(format) ? normalisePcm(format) : normaliseCompressed(format, maxSeconds)
}

async function normalisePcm(format: PcmFormat): Promise<Normaliser> {
  const decode = createPcmDecoder(format)
  const resampler = await createResampler(format.sampleRateHz)
  return {
    channels: format.channels,
    push: async (pcm) => resampler.push(decode(pcm)),
    finish: async () => resampler.finish(),
    close: () => resampler.close(),
  }
}

async function normaliseCompressed(format: CompressedFormat, maxSeconds: number): Promise<Normaliser> {
  const decoder = await openDecoder(format, maxSeconds)
  const isCuttable = format.encoding !== 'opus'
  let resampler: (Resampler & { readonly fromHz: number }) | undefined
  let totalSamples = 0
  let channels = 1

  /** A chained stream may go on at another rate. */
  async function resample(decoded: readonly Decoded[]): Promise<Float32Array[]> {
    const parts: Float32Array[] = []
    for (const { samples, sampleRateHz, ...each } of decoded) {
      channels = each.channels
      if (resampler?.fromHz !== sampleRateHz) {
        assertSampleRate(`${format.encoding.toUpperCase()} audio`, sampleRateHz)
        parts.push(endOf(resampler))
        resampler = { ...(await createResampler(sampleRateHz)), fromHz: sampleRateHz }
      }
      parts.push(resampler.push(samples))
    }
    return parts
  }

  function together(parts: readonly Float32Array[]): Float32Array {
    const whole = joinSamples(parts)
    totalSamples += whole.length
    return whole
  }

  return {
    get channels() {
      return channels
    },
    async push(bytes) {
      const parts: Float32Array[] = []
      const step = isCuttable ? STEP_BYTES : Math.max(1, bytes.length)
      for (let offset = 0; offset < bytes.length; offset += step) {
        parts.push(...(await resample(await decoder.push(bytes.subarray(offset, offset + step)))))
        if (lengthOf(parts) > maxSeconds * SAMPLE_RATE_HZ) throw tooLong(maxSeconds)
      }
      return together(parts)
    },
    async finish() {
      const last = together([...(await resample(await decoder.finish())), endOf(resampler)])
      if (totalSamples === 0) throw undecoded(format)
      return last
    },
    close() {
      decoder.close()
      resampler?.close()
    },
  }
}

function endOf(resampler: Resampler | undefined): Float32Array {
  if (!resampler) return new Float32Array(0)
  const end = resampler.finish()
  resampler.close()
  return end
}

function lengthOf(parts: readonly Float32Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function undecoded({ encoding }: CompressedFormat): SpeechError {
  return new SpeechError(415, `The ${encoding.toUpperCase()} audio could not be decoded.`)
}
