import { InferenceSession, Tensor } from 'onnxruntime-node'
import { FRAME_SAMPLES } from './ears.ts'

/**
 * Judges the frames of one stream, in order: the network remembers what it heard before. Takes whole frames, one behind
 * the other, and answers for the first of them, at least one; the others are for the next call.
 */
export type Judge = (frames: Float32Array) => Promise<Float32Array>

// Each frame goes in with the end of the one before it.
const CONTEXT_SAMPLES = 64
const INPUT_SAMPLES = CONTEXT_SAMPLES + FRAME_SAMPLES
// What the network remembers: of each layer so many numbers.
const LAYER_PLACES = [0, 1] as const
const LAYERS = LAYER_PLACES.length
const STATE_SIZE = 128

// 2 ms of work and a few megabytes: for so long others wait. More at a time is no faster.
const MAX_FRAMES = 128

interface Stream {
  state: Float32Array
  /** The end of the frame before. */
  context: Float32Array
}

interface Waiting {
  readonly stream: Stream
  readonly frames: Float32Array
  resolve(probabilities: Float32Array): void
  reject(error: unknown): void
}

/**
 * Loads Silero VAD (v6), as it lies in fixtures/models/silero-vad. Inference blocks the thread, so it runs beside the
 * sockets' thread. It takes 0.016 ms a frame where there are many of them and 0.07 ms for a single one, so all that wait
 * are judged together: of each stream as many frames as the one with the fewest has.
 */
export async function loadSilero(file: string): Promise<() => Judge> {
  const session = await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  })
  if (!session.inputNames.includes('frames')) {
    throw new Error(`${file} is not Silero VAD as scripts/convert-silero.ts writes it.`)
  }

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
    const fewest = Math.min(...batch.map(({ frames }) => frames.length / FRAME_SAMPLES))
    const steps = Math.min(fewest, Math.max(1, Math.floor(MAX_FRAMES / batch.length)))
    const { probabilities, newState } = await session.run({
      frames: new Tensor('float32', inputsOf(batch, steps), [steps, batch.length, INPUT_SAMPLES]),
      state: new Tensor('float32', statesOf(batch), [LAYERS, batch.length, STATE_SIZE]),
    })
    const [judged, states] = [probabilities?.data, newState?.data]
    if (!(judged instanceof Float32Array) || !(states instanceof Float32Array)) {
      throw new Error(`${file} judged nothing.`)
    }
    for (const [place, { stream, frames, resolve }] of batch.entries()) {
      stream.state = stateAt(states, place, batch.length)
      stream.context = frames.slice(steps * FRAME_SAMPLES - CONTEXT_SAMPLES, steps * FRAME_SAMPLES)
      resolve(Float32Array.from({ length: steps }, (_, step) => judged[step * batch.length + place] ?? 0))
    }
  }

  return () => {
    const stream: Stream = {
      state: new Float32Array(LAYERS * STATE_SIZE),
      context: new Float32Array(CONTEXT_SAMPLES),
    }
    return (frames) =>
      new Promise((resolve, reject) => {
        waiting.push({ stream, frames, resolve, reject })
        if (!isRunning) void judgeWaiting()
      })
  }
}

/** Step by step a frame of each stream. */
function inputsOf(batch: readonly Waiting[], steps: number): Float32Array {
  const inputs = new Float32Array(steps * batch.length * INPUT_SAMPLES)
  for (const [place, { stream, frames }] of batch.entries()) {
    for (let step = 0; step < steps; step += 1) {
      const at = (step * batch.length + place) * INPUT_SAMPLES
      const start = step * FRAME_SAMPLES - CONTEXT_SAMPLES
      if (step === 0) inputs.set(stream.context, at)
      inputs.set(frames.subarray(Math.max(0, start), start + INPUT_SAMPLES), step === 0 ? at + CONTEXT_SAMPLES : at)
    }
  }
  return inputs
}

/** Layer by layer the state of each stream. */
function statesOf(batch: readonly Waiting[]): Float32Array {
  const states = new Float32Array(LAYERS * batch.length * STATE_SIZE)
  for (const [place, { stream }] of batch.entries()) {
    for (const layer of LAYER_PLACES) {
      states.set(partOf(stream.state, layer), (layer * batch.length + place) * STATE_SIZE)
    }
  }
  return states
}

function stateAt(states: Float32Array, place: number, count: number): Float32Array {
  const state = new Float32Array(LAYERS * STATE_SIZE)
  for (const layer of LAYER_PLACES) state.set(partOf(states, layer * count + place), layer * STATE_SIZE)
  return state
}

function partOf(states: Float32Array, place: number): Float32Array {
  return states.subarray(place * STATE_SIZE, (place + 1) * STATE_SIZE)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
