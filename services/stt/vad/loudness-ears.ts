import { createNormaliser } from '../audio/normaliser.ts'
import type { PcmFormat } from '../audio/format.ts'
import { createFramer } from './frames.ts'
import type { Ear, Ears, Heard } from './ears.ts'

// −40 dB of full scale: above the noise of a quiet recording, below any voice or test tone.
const SPEECH_RMS = 0.01

/** Ears without a model, for the scripted engine: what is loud is speech. */
export const loudnessEars: Ears = { open: openEar, stop: async () => undefined }

function openEar(format: PcmFormat): Ear {
  const opening = createNormaliser(format)
  const framer = createFramer()
  const hear = (samples: Float32Array, frames: readonly Float32Array[]): Heard => ({
    samples,
    probabilities: Float32Array.from(frames, (frame) => (rms(frame) >= SPEECH_RMS ? 1 : 0)),
  })

  return {
    async push(pcm) {
      const normaliser = await opening
      const samples = normaliser.push(pcm)
      return hear(samples, framer.push(samples))
    },
    async finish() {
      const normaliser = await opening
      const samples = normaliser.finish()
      return hear(samples, [...framer.push(samples), ...framer.finish()])
    },
    close() {
      void opening.then((normaliser) => normaliser.close())
    },
  }
}

function rms(frame: Float32Array): number {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length)
}
