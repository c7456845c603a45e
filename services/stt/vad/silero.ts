import { InferenceSession, Tensor } from 'onnxruntime-node'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { FRAME_SAMPLES } from './ears.ts'

/** Judges the frames of one stream, in order: the network remembers what it heard before. */
export type Judge = (frame: Float32Array) => Promise<number>

// Each frame goes in with the end of the one before it.
const CONTEXT_SAMPLES = 64
const INPUT_SAMPLES = CONTEXT_SAMPLES + FRAME_SAMPLES
// What the network remembers: of each layer so many numbers.
const LAYER_PLACES = [0, 1] as const
const LAYERS = LAYER_PLACES.length
const STATE_SIZE = 128

// Its export leaves unused weights behind, and the library warns of each at every load.
const ERRORS_ONLY = 3

interface Judgement {
  readonly probability: number
  readonly state: Float32Array
}

interface Waiting {
  readonly input: Float32Array
  readonly state: Float32Array
  resolve(judgement: Judgement): void
  reject(error: unknown): void
}

/**
 * Loads Silero VAD (v6). Inference blocks the thread for 0.1 ms a frame, so it runs beside the sockets' thread. Frames of
 * several streams that come while one is judged are judged together, which takes half the time and changes no bit.
 */
export async function loadSilero(file: string): Promise<() => Judge> {
  const session = await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: ERRORS_ONLY,
  })
  const rate = new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE_HZ)), [])

  let waiting: Waiting[] = []
  let isRunning = false

  async function judgeWaiting(): Promise<void> {
    isRunning = true
    // A turn of the loop later whatever has come, or follows what was just judged, is there.
    for (await nextTurn(); waiting.length > 0; await nextTurn()) {
      const batch = waiting
      waiting = []
      await judgeTogether(batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
    }
    isRunning = false
  }

  async function judgeTogether(batch: readonly Waiting[]): Promise<void> {
    const count = batch.length
    const inputs = new Float32Array(count * INPUT_SAMPLES)
    const states = new Float32Array(LAYERS * count * STATE_SIZE)
    for (const [place, { input, state }] of batch.entries()) {
      inputs.set(input, place * INPUT_SAMPLES)
      for (const layer of LAYER_PLACES) {
        states.set(partOf(state, layer), (layer * count + place) * STATE_SIZE)
      }
    }
    const { output, stateN } = await session.run({
      input: new Tensor('float32', inputs, [count, INPUT_SAMPLES]),
      state: new Tensor('float32', states, [LAYERS, count, STATE_SIZE]),
      sr: rate,
    })
    const data = stateN?.data
    if (!(data instanceof Float32Array) || output?.type !== 'float32') throw new Error('This is not Silero VAD.')
    for (const [place, { resolve }] of batch.entries()) {
      const state = new Float32Array(LAYERS * STATE_SIZE)
      for (const layer of LAYER_PLACES) state.set(partOf(data, layer * count + place), layer * STATE_SIZE)
      resolve({ probability: Number(output.data[place]), state })
    }
  }

  return () => {
    let state: Float32Array = new Float32Array(LAYERS * STATE_SIZE)
    let context = new Float32Array(CONTEXT_SAMPLES)
    return async (frame) => {
      const input = new Float32Array(INPUT_SAMPLES)
      input.set(context)
      input.set(frame, CONTEXT_SAMPLES)
      context = input.slice(FRAME_SAMPLES)
      const judged = new Promise<Judgement>((resolve, reject) => {
        waiting.push({ input, state, resolve, reject })
      })
      if (!isRunning) void judgeWaiting()
      const judgement = await judged
      state = judgement.state
      return judgement.probability
    }
  }
}

function partOf(states: Float32Array, place: number): Float32Array {
  return states.subarray(place * STATE_SIZE, (place + 1) * STATE_SIZE)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
