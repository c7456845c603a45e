import type { PcmFormat } from './format.ts'
import { createPcmDecoder } from './pcm-decoder.ts'
import { createResampler } from './resampler.ts'

/** PCM bytes of any format in, 16 kHz mono samples out. */
export interface Normaliser {
  push(pcm: Uint8Array): Float32Array
  finish(): Float32Array
  close(): void
}

export async function createNormaliser(format: PcmFormat): Promise<Normaliser> {
  const decode = createPcmDecoder(format)
  const resampler = await createResampler(format.sampleRateHz)
  return {
    push: (pcm) => resampler.push(decode(pcm)),
    finish: () => resampler.finish(),
    close: () => resampler.close(),
  }
}
