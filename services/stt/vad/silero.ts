import { InferenceSession, Tensor } from 'onnxruntime-node'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { FRAME_SAMPLES } from './ears.ts'

/** Judges the frames of one stream, in order: the network remembers what it heard before. */
export type Judge = (frame: Float32Array) => Promise<number>

// Each frame goes in with the end of the one before it.
const CONTEXT_SAMPLES = 64
const STATE_SHAPE = [2, 1, 128] as const

// Its export leaves unused weights behind, and the library warns of each at every load.
const ERRORS_ONLY = 3

/** Loads Silero VAD (v6). Inference blocks the thread for 0.1 ms a frame, so it runs beside the sockets' thread. */
export async function loadSilero(file: string): Promise<() => Judge> {
  const session = await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: ERRORS_ONLY,
  })
  const rate = new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE_HZ)), [])

  return () => {
    let state: Tensor = new Tensor('float32', new Float32Array(2 * 128), STATE_SHAPE)
    let context = new Float32Array(CONTEXT_SAMPLES)
    return async (frame) => {
      const input = new Float32Array(CONTEXT_SAMPLES + FRAME_SAMPLES)
      input.set(context)
      input.set(frame, CONTEXT_SAMPLES)
      context = input.slice(FRAME_SAMPLES)
      const { output, stateN } = await session.run({
        input: new Tensor('float32', input, [1, input.length]),
        state,
        sr: rate,
      })
      if (stateN?.type !== 'float32' || output?.type !== 'float32') throw new Error('This is not Silero VAD.')
      state = stateN
      return Number(output.data[0])
    }
  }
}
