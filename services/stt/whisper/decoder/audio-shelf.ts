import { Tensor } from 'onnxruntime-node'
import { HEAD_SIZE } from '../../models/graph/layers.ts'
import type { WhisperDimensions } from '../../models/manifest.ts'
import { floats, type Tensors } from '../tensors.ts'

/**
 * Keys and values of the audios that texts are written about, side by side as the decoder wants them. They are some
 * megabytes each, so the encoder writes them to where they stay, and the memory is kept from one audio to the next.
 */
export interface AudioShelf {
  /** Clears it, for audios in so many places. Of one alone the tensors fit it; those of several have `longest` positions. */
  clear(places: number, longest: number): void
  /** For the encoder to write an audio of so many positions to. What was in the place is gone. */
  room(place: number, positions: number): Tensors
  /**
   * An audio has been encoded: to the room of its place, or to other memory, from where it is copied.
   * @throws RangeError for a room that was given for another audio since, or taken up before
   */
  put(place: number, encoded: Tensors, positions: number): void
  /** The audios of some places, in ascending order. Those of the others are gone. */
  show(places: readonly number[]): ShownAudios
}

export interface ShownAudios {
  /** Those of shorter audios weigh nothing beyond their end. */
  readonly positions: number
  /** By the name of the decoder's input. */
  readonly tensors: Tensors
}

/** Of each audio there are `rows` × positions × `run` numbers in a tensor. */
interface Kind {
  readonly name: string
  readonly rows: number
  readonly run: number
  /** What the encoder writes. */
  readonly encoded: (positions: number) => readonly number[]
  /** What the decoder reads of each audio. */
  readonly shown: (positions: number) => readonly number[]
  /** Beyond the audio's end; absent where it does not matter. */
  readonly padding?: number
}

/** Memory is given back when an audio needs less than half of it: a full window takes twice a usual one, and is rare. */
const MOST_TO_SPARE = 2

export function createAudioShelf(dimensions: WhisperDimensions): AudioShelf {
  const kinds = kindsOf(dimensions)
  const memory = new Map<string, Float32Array>()
  /** Where in the memory the audio of a place is. */
  let slots: (number | undefined)[] = []
  /** What the encoder may be writing to. */
  const rooms = new Map<number, Tensors>()
  let positions = 0

  function sizeOf({ rows, run }: Kind): number {
    return rows * run * positions
  }

  function memoryOf(kind: Kind): Float32Array {
    const size = slots.length * sizeOf(kind)
    const kept = memory.get(kind.name)
    if (kept && kept.length >= size && kept.length <= MOST_TO_SPARE * size) return kept
    const made = new Float32Array(size)
    memory.set(kind.name, made)
    return made
  }

  function regionOf(kind: Kind, place: number): Float32Array {
    const slot = slots[place]
    if (slot === undefined) throw new RangeError(`The place ${place} of the shelf was given up.`)
    return memoryOf(kind).subarray(slot * sizeOf(kind), (slot + 1) * sizeOf(kind))
  }

  /** For an audio that is longer than any was to be. What is being written to a room has to be copied then. */
  function grow(longest: number): void {
    rooms.clear()
    const before = kinds.map((kind) => ({ kind, from: memoryOf(kind), size: sizeOf(kind) }))
    const shorter = positions
    positions = longest
    for (const { kind, from, size } of before) {
      const to = new Float32Array(slots.length * sizeOf(kind))
      for (let slot = 0; slot < slots.length; slot += 1) {
        const region = to.subarray(slot * sizeOf(kind), (slot + 1) * sizeOf(kind))
        region.set(from.subarray(slot * size, (slot + 1) * size))
        spread(region, kind, shorter, longest)
      }
      memory.set(kind.name, to)
    }
  }

  return {
    clear(places, longest) {
      slots = Array.from({ length: places }, (_, place) => place)
      rooms.clear()
      positions = longest
    },
    room,
    put(place, encoded, own) {
      const isInRoom = encoded === rooms.get(place)
      if (!isInRoom && isOnShelf(encoded)) throw new RangeError('The memory of this audio has been used for another.')
      if (!isInRoom) room(place, own)
      for (const kind of kinds) {
        const region = regionOf(kind, place)
        if (!isInRoom) region.set(floats(encoded[kind.name]))
        spread(region, kind, own, positions)
      }
      rooms.delete(place)
    },
    show(places) {
      for (const [slot, place] of places.entries()) {
        const before = slots[place]
        if (before === undefined || before === slot) continue
        for (const kind of kinds) {
          const size = sizeOf(kind)
          memoryOf(kind).copyWithin(slot * size, before * size, (before + 1) * size)
        }
        slots[place] = slot
      }
      slots = slots.map((slot, place) => (places.includes(place) ? slot : undefined))
      const tensors = kinds.map((kind) => {
        const shown = memoryOf(kind).subarray(0, places.length * sizeOf(kind))
        return [kind.name, new Tensor('float32', shown, [places.length, ...kind.shown(positions)])] as const
      })
      return { positions, tensors: Object.fromEntries(tensors) }
    },
  }

  function room(place: number, wanted: number): Tensors {
    if (slots.length === 1) positions = wanted
    else if (wanted > positions) grow(wanted)
    const tensors = kinds.map((kind) => {
      const region = regionOf(kind, place).subarray(0, kind.rows * kind.run * wanted)
      return [kind.name, new Tensor('float32', region, kind.encoded(wanted))] as const
    })
    const given = Object.fromEntries(tensors)
    rooms.set(place, given)
    return given
  }

  function isOnShelf(encoded: Tensors): boolean {
    return kinds.some(({ name }) => floats(encoded[name]).buffer === memory.get(name)?.buffer)
  }
}

/** Moves rows of so many positions apart, in place, so that each has room for more. */
function spread(region: Float32Array, { rows, run, padding }: Kind, from: number, to: number): void {
  if (from === to) return
  for (let row = rows - 1; row >= 0; row -= 1) {
    region.copyWithin(row * run * to, row * run * from, (row + 1) * run * from)
    if (padding !== undefined) region.fill(padding, run * (row * to + from), run * (row + 1) * to)
  }
}

function kindsOf({ heads, decoderLayers }: WhisperDimensions): readonly Kind[] {
  const layers = Array.from({ length: decoderLayers }, (_, layer) => layer)
  const keys = (positions: number): number[] => [heads, HEAD_SIZE, positions]
  const values = (positions: number): number[] => [heads, positions, HEAD_SIZE]
  return [
    ...layers.flatMap((layer): Kind[] => [
      {
        name: `cross_key_${layer}`,
        rows: heads * HEAD_SIZE,
        run: 1,
        encoded: (positions) => [1, ...keys(positions)],
        shown: keys,
      },
      {
        name: `cross_value_${layer}`,
        rows: heads,
        run: HEAD_SIZE,
        encoded: (positions) => [1, ...values(positions)],
        shown: values,
      },
    ]),
    {
      name: 'cross_bias',
      rows: 1,
      run: 1,
      encoded: (positions) => [positions],
      shown: (positions) => [1, 1, positions],
      padding: Number.NEGATIVE_INFINITY,
    },
  ]
}
