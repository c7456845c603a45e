import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { WhisperDimensions } from '../models/manifest.ts'
import { HEAD_SIZE } from '../models/graph/layers.ts'
import type { EncodedAudio } from './encoder.ts'

/** One text being written about one window. Its keys and values so far are kept between calls. */
export interface Decoding {
  /** Tokens fed so far. */
  readonly length: number
  /** Attention of the alignment heads, one [heads, positions] array for each token fed. */
  readonly attention: readonly Float32Array[]
  /**
   * Feeds tokens and returns the logits after each of the last `rows` of them: logarithms of the probabilities of all
   * tokens. The arrays are valid until the next call.
   */
  feed(tokens: readonly number[], rows: number): Promise<Float32Array[]>
  /** Takes back all tokens but the first `length`. */
  truncate(length: number): void
  /** Another text that begins with what was fed so far; neither changes the other. */
  fork(): Decoding
}

/** What was fed so far. */
interface State {
  readonly cache: Readonly<Record<string, Tensor>>
  readonly attention: readonly Float32Array[]
}

/** Most answers are of one token: one array for them all, because 0.2 MB more at each step keep the garbage collector busy. */
const logitsOfOne = new WeakMap<InferenceSession, Tensor>()

export function startDecoding(
  session: InferenceSession,
  audio: EncodedAudio,
  dimensions: WhisperDimensions,
  state: State = { cache: emptyCache(dimensions), attention: [] },
): Decoding {
  const { vocabulary } = dimensions
  const attention = [...state.attention]
  let { cache } = state
  let { length } = attention

  // Null lets the library make a tensor.
  const made = Object.fromEntries(session.outputNames.map((name) => [name, null]))

  /** Where outputs go. */
  function fetches(rows: number): Readonly<Record<string, Tensor | null>> {
    if (rows > 1) return made
    let logits = logitsOfOne.get(session)
    if (!logits) {
      logits = new Tensor('float32', new Float32Array(vocabulary), [1, 1, vocabulary])
      logitsOfOne.set(session, logits)
    }
    return { ...made, logits }
  }

  return {
    get length() {
      return length
    },
    attention,
    async feed(tokens, rows) {
      const feeds = {
        tokens: int64(tokens, [1, tokens.length]),
        positions: int64(
          tokens.map((_, index) => length + index),
          [tokens.length],
        ),
        rows: int64(
          Array.from({ length: rows }, (_, index) => tokens.length - rows + index),
          [rows],
        ),
        ...cache,
        ...audio.crossAttention,
      }
      const outputs = await session.run(feeds, fetches(rows))
      length += tokens.length
      cache = Object.fromEntries(
        Object.entries(outputs)
          .filter(([name]) => name.startsWith('present_'))
          .map(([name, tensor]) => [name.replace('present', 'past'), tensor]),
      )
      attention.push(...splitSteps(outputs['alignment'], tokens.length))
      const logits = floats(outputs['logits'])
      return Array.from({ length: rows }, (_, row) => logits.subarray(row * vocabulary, (row + 1) * vocabulary))
    },
    truncate(kept) {
      if (kept >= length) return
      cache = Object.fromEntries(Object.entries(cache).map(([name, tensor]) => [name, firstSteps(tensor, kept)]))
      attention.length = kept
      length = kept
    },
    fork: () => startDecoding(session, audio, dimensions, { cache, attention }),
  }
}

/** [1, heads, steps, size] → [1, heads, kept, size]. */
function firstSteps(tensor: Tensor, kept: number): Tensor {
  const values = floats(tensor)
  const [, heads = 0, steps = 0, size = 0] = tensor.dims
  const result = new Float32Array(heads * kept * size)
  for (let head = 0; head < heads; head += 1) {
    const from = head * steps * size
    result.set(values.subarray(from, from + kept * size), head * kept * size)
  }
  return new Tensor('float32', result, [1, heads, kept, size])
}

function emptyCache({ heads, decoderLayers }: WhisperDimensions): Readonly<Record<string, Tensor>> {
  const empty = new Tensor('float32', new Float32Array(0), [1, heads, 0, HEAD_SIZE])
  const layers = Array.from({ length: decoderLayers }, (_, layer) => layer)
  return Object.fromEntries(
    layers.flatMap((layer) => [
      [`past_key_${layer}`, empty],
      [`past_value_${layer}`, empty],
    ]),
  )
}

/** [1, heads, steps, positions] → one [heads, positions] for each step. */
function splitSteps(tensor: Tensor | undefined, steps: number): Float32Array[] {
  const values = floats(tensor)
  if (steps === 1) return [values]
  const [, heads = 0, , positions = 0] = tensor?.dims ?? []
  return Array.from({ length: steps }, (_, step) => {
    const result = new Float32Array(heads * positions)
    for (let head = 0; head < heads; head += 1) {
      const from = (head * steps + step) * positions
      result.set(values.subarray(from, from + positions), head * positions)
    }
    return result
  })
}

function int64(values: readonly number[], shape: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), shape)
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new TypeError('The model returned no float32 tensor where one belongs.')
}
