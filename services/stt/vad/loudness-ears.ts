import { createNormaliser } from '../audio/normaliser.ts'
import type { AudioFormat } from '../audio/format.ts'
import { createFramer } from './frames.ts'
import { FRAME_SAMPLES } from './ears.ts'
import type { Ear, Ears, Heard } from './ears.ts'

// −40 dB of full scale: above the noise of a quiet recording, below any voice or test tone.
const SPEECH_RMS = 0.01

/** Ears without a model, for the scripted engine: what is loud is speech. */
export const loudnessEars: Ears = { open: openEar, stop: async () => undefined }

function openEar(format: AudioFormat, maxSeconds: number): Ear {
  const opening = createNormaliser(format, maxSeconds)
  // Said where the ear is used.
  opening.catch(() => undefined)
  const framer = createFramer()
  const hear = (samples: Float32Array, channels: number, frames: Float32Array): Heard => ({
    samples,
    channels,
    probabilities: Float32Array.from({ length: frames.length / FRAME_SAMPLES }, (_, index) => {
      const frame = frames.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES)
      return rms(frame) >= SPEECH_RMS ? 1 : 0
    }),
  })

  return {
    async push(audio) {
      const normaliser = await opening
      const samples = await normaliser.push(audio)
      return hear(samples, normaliser.channels, framer.push(samples))
    },
    async finish() {
      const normaliser = await opening
      const samples = await normaliser.finish()
      return hear(samples, normaliser.channels, framer.finish(samples))
    },
    close() {
      void opening.then((normaliser) => normaliser.close()).catch(() => undefined)
    },
  }
}

function rms(frame: Float32Array): number {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length)
}
