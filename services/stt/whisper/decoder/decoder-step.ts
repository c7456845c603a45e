import { Tensor } from 'onnxruntime-node'
import type { WhisperDimensions } from '../../models/manifest.ts'
import type { AudioShelf } from './audio-shelf.ts'
import type { Network } from '../sessions.ts'
import { floats, int64 } from '../tensors.ts'
import { emptyCache, moveCache, type Member } from './text-cache.ts'

/** A text about the audio in a place of the shelf, with those that went another way from it. */
export interface Subject extends Member {
  readonly place: number
  readonly positions: number
}

/** What one text feeds in a step. */
export interface Ask {
  readonly subject: Subject
  /** What the text consists of so far: which of all that was ever fed about its subject. */
  readonly entries: readonly number[]
  readonly tokens: readonly number[]
  /** After how many of the tokens, the last ones, logits are wanted. */
  readonly rows: number
}

export interface Answer {
  /** What was fed now. */
  readonly entries: readonly number[]
  /** One [heads, positions] array for each token. */
  readonly attention: readonly Float32Array[]
  /** Valid until the next step. */
  readonly logits: readonly Float32Array[]
}

/** Feeds the tokens of all texts that are asked for, in the order of their places, at once. */
export type Step = (asks: readonly Ask[]) => Promise<readonly Answer[]>

export function createStep(network: Network, dimensions: WhisperDimensions, shelf: AudioShelf): Step {
  const { vocabulary } = dimensions
  // Null lets the library make a tensor.
  const made = Object.fromEntries(network.outputNames.map((name) => [name, null]))
  const cached = network.outputNames.filter((name) => name.startsWith('present_'))
  // Most answers are a token for each text: one array for them all, because 0.2 MB more each time keep the garbage collector busy.
  const keptLogits: (Tensor | undefined)[] = []
  let subjects: readonly Subject[] = []
  let cache = emptyCache(0, dimensions)
  let audios = shelf.show([])

  /** Where outputs go. */
  function fetches(rows: number, texts: number): Readonly<Record<string, Tensor | null>> {
    if (rows > texts) return made
    keptLogits[rows] ??= new Tensor('float32', new Float32Array(rows * vocabulary), [rows, vocabulary])
    return { ...made, logits: keptLogits[rows] }
  }

  /** Others than before have their audios and what was fed of them side by side from now on. */
  function seat(next: readonly Subject[]): void {
    if (next.length === subjects.length && next.every((subject, index) => subject === subjects[index])) return
    cache = moveCache(cache, subjects, next, dimensions)
    audios = shelf.show(next.map(({ place }) => place))
    subjects = next
  }

  return async (asks) => {
    seat(asks.map(({ subject }) => subject))
    const { past } = cache
    const tokens = asks.flatMap((ask) => ask.tokens)
    const positions = asks.flatMap((ask) => ask.tokens.map((_, index) => ask.entries.length + index))
    const width = Math.max(...asks.map((ask) => ask.tokens.length))
    const rows = asks.reduce((sum, ask) => sum + ask.rows, 0)
    const outputs = await network.run(
      {
        tokens: int64(tokens, [tokens.length]),
        positions: int64(positions, [tokens.length]),
        self_bias: selfBias(asks, past, width),
        ...dealt(asks, width),
        ...cache.tensors,
        ...audios.tensors,
      },
      fetches(rows, asks.length),
    )
    const longer = cached.map((name) => [name.replace('present', 'past'), outputs[name] as Tensor] as const)
    cache = { past: past + width, tensors: Object.fromEntries(longer) }
    const logits = floats(outputs['logits'])
    let row = 0
    return asks.map(({ subject, tokens: fed, rows: count }, text) => {
      const entries = fed.map((_, index) => subject.columns.push(past + index) - 1)
      const own = Array.from({ length: count }, (_, index) =>
        logits.subarray((row + index) * vocabulary, (row + index + 1) * vocabulary),
      )
      row += count
      const size = { width, positions: audios.positions, own: subject.positions }
      return { entries, attention: attentionOf(outputs['alignment'], text, fed.length, size), logits: own }
    })
  }
}

/** Which token is where in its text, and after which of them logits are wanted. */
type Dealt = Readonly<Record<'slots' | 'places' | 'rows', Tensor>>

/** A token for each text: what most steps are. */
const singles: (Dealt | undefined)[] = []

function dealt(asks: readonly Ask[], width: number): Dealt {
  if (width > 1) return deal(asks, width)
  return (singles[asks.length] ??= deal(asks, width))
}

function deal(asks: readonly Ask[], width: number): Dealt {
  const slots: number[] = []
  const places: number[] = []
  const rows: number[] = []
  let first = 0
  for (const [text, { tokens, rows: wanted }] of asks.entries()) {
    const count = tokens.length
    for (let place = 0; place < width; place += 1) slots.push(first + Math.min(place, count - 1))
    for (let place = 0; place < count; place += 1) places.push(text, place)
    for (let place = count - wanted; place < count; place += 1) rows.push(first + place)
    first += count
  }
  return {
    slots: int64(slots, [asks.length, width]),
    places: int64(places, [first, 2]),
    rows: int64(rows, [rows.length]),
  }
}

/** A token sees its text so far and itself; what was taken back, and what is another text's, it does not. */
function selfBias(asks: readonly Ask[], past: number, width: number): Tensor {
  const total = past + width
  const bias = new Float32Array(asks.length * width * total)
  for (const [text, { subject, entries }] of asks.entries()) {
    for (let place = 0; place < width; place += 1) {
      const row = (text * width + place) * total
      if (entries.length < past) {
        bias.fill(Number.NEGATIVE_INFINITY, row, row + past)
        for (const entry of entries) bias[row + (subject.columns[entry] as number)] = 0
      }
      bias.fill(Number.NEGATIVE_INFINITY, row + past + place + 1, row + total)
    }
  }
  return new Tensor('float32', bias, [asks.length, 1, width, total])
}

interface AttentionSize {
  readonly width: number
  readonly positions: number
  /** Of the text's own audio: the others are padding. */
  readonly own: number
}

/** Of [texts, heads, width, positions] the [heads, positions] of each token of one text. */
function attentionOf(tensor: Tensor | undefined, text: number, tokens: number, size: AttentionSize): Float32Array[] {
  const values = floats(tensor)
  const { width, positions, own } = size
  const [texts = 0, heads = 0] = tensor?.dims ?? []
  if (texts === 1 && width === 1 && positions === own) return [values]
  return Array.from({ length: tokens }, (_, place) => {
    const result = new Float32Array(heads * own)
    for (let head = 0; head < heads; head += 1) {
      const from = ((text * heads + head) * width + place) * positions
      result.set(values.subarray(from, from + own), head * own)
    }
    return result
  })
}
