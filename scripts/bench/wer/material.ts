import { openWav } from '../../../services/stt/audio/file.ts'
import { SAMPLE_RATE_HZ } from '../../../services/stt/audio/format.ts'
import { seededRandom } from '../../../services/wire/seeded-random.ts'
import type { Clip } from '../../walk/clips.ts'

/** Clips one after the other with pauses between them, at 16 kHz. */
export interface Concatenation {
  /** Recordings of the same kind count together. */
  readonly kind: string
  /** Made when it is asked for: some are long. */
  readonly samples: () => Float32Array
  readonly clips: readonly Clip[]
}

export const PAUSES_SECONDS = [0, 0.3, 1, 3, 29.9, 30, 31, 60, 600] as const
export const LENGTHS_SECONDS = [29.9, 30, 31, 60, 600] as const

/** Of the recordings of a certain length. */
const SHORT_PAUSE_SECONDS = 0.5
/** From here on two clips at a time: what happens at one pause happens at five. */
const LONG_PAUSE_SECONDS = 60
/** A quiet room, 60 dB below full scale. */
const ROOM_LEVEL = 0.001

const BACKGROUNDS: Readonly<Record<string, (length: number) => Float32Array>> = {
  'digital silence': (length) => new Float32Array(length),
  'a quiet room': (length) => {
    const random = seededRandom(7)
    return new Float32Array(length).map(() => ROOM_LEVEL * (2 * random() - 1))
  },
}

/** All clips with pauses of a length between them, in both directions, so that each clip has two neighbours. */
export function withPauses(clips: readonly Clip[], pauseSeconds: number): Concatenation[] {
  const orders = [clips, clips.toReversed()]
  const groups = pauseSeconds >= LONG_PAUSE_SECONDS ? orders.flatMap(pairs) : orders
  const kind = pauseSeconds === 0 ? 'no pause' : `pauses of ${pauseSeconds} s`
  return Object.entries(BACKGROUNDS).flatMap(([background, make]) =>
    groups.map((group) => ({
      kind: `${kind}, ${background}`,
      samples: () => joined(group, { pauseSeconds, make, isTight: pauseSeconds === 0 }),
      clips: group,
    })),
  )
}

/** Recordings of exactly a length, which begin, or end, with a clip: whole clips, and silence for what is left. */
export function ofLength(clips: readonly Clip[], lengthSeconds: number): Concatenation[] {
  const length = Math.round(lengthSeconds * SAMPLE_RATE_HZ)
  return clips.slice(0, lengthSeconds > LONG_PAUSE_SECONDS ? 1 : 3).flatMap((_, first) => {
    const { samples, chosen } = fitting([...clips.slice(first), ...clips.slice(0, first)], length)
    const at = (offset: number) => (): Float32Array => {
      const whole = new Float32Array(length)
      whole.set(samples, offset)
      return whole
    }
    const kind = `${lengthSeconds} s long`
    return [
      { kind: `${kind}, silence after`, samples: at(0), clips: chosen },
      { kind: `${kind}, silence before`, samples: at(length - samples.length), clips: chosen },
    ]
  })
}

/** As many clips as fit, again from the first one on. */
function fitting(
  clips: readonly Clip[],
  length: number,
): { readonly samples: Float32Array; readonly chosen: readonly Clip[] } {
  const make = (count: number): Float32Array => new Float32Array(count)
  const chosen: Clip[] = []
  let samples = make(0)
  for (let index = 0; ; index += 1) {
    const clip = clips[index % clips.length]
    if (!clip) break
    const longer = joined([...chosen, clip], { pauseSeconds: SHORT_PAUSE_SECONDS, make, isTight: true })
    if (longer.length > length) break
    chosen.push(clip)
    samples = longer
  }
  return { samples, chosen }
}

/** All clips, twice, without any pause, between words neither: whoever has to cut here has no good place. */
export function withoutBreath(clips: readonly Clip[]): Concatenation[] {
  return [[...clips, ...clips], [...clips, ...clips].toReversed()].map((order) => ({
    kind: 'without breath',
    samples: () =>
      breathless(joined(order, { pauseSeconds: 0, make: (length) => new Float32Array(length), isTight: true })),
    clips: order,
  }))
}

const FRAME_SAMPLES = 0.02 * SAMPLE_RATE_HZ
/** What is quiet for longer than this is shortened to it. */
const BREATH_FRAMES = 5

function breathless(samples: Float32Array): Float32Array {
  let quietFrames = 0
  let length = 0
  const kept = new Float32Array(samples.length)
  for (let from = 0; from < samples.length; from += FRAME_SAMPLES) {
    const frame = samples.subarray(from, from + FRAME_SAMPLES)
    const isQuiet = frame.every((sample) => Math.abs(sample) < 2 * SPEECH_LEVEL)
    quietFrames = isQuiet ? quietFrames + 1 : 0
    if (quietFrames > BREATH_FRAMES) continue
    kept.set(frame, length)
    length += frame.length
  }
  return kept.subarray(0, length)
}

interface Joining {
  readonly pauseSeconds: number
  readonly make: (length: number) => Float32Array
  /** Without the silence around the speech of each clip. */
  readonly isTight: boolean
}

function joined(clips: readonly Clip[], { pauseSeconds, make, isTight }: Joining): Float32Array {
  const parts = clips.map((clip) => (isTight ? trimmed(samplesOf(clip)) : samplesOf(clip)))
  const pause = Math.round(pauseSeconds * SAMPLE_RATE_HZ)
  const length = parts.reduce((sum, part) => sum + part.length + pause, -pause)
  const samples = make(length)
  let offset = 0
  for (const part of parts) {
    for (const [index, sample] of part.entries()) samples[offset + index] = (samples[offset + index] ?? 0) + sample
    offset += part.length + pause
  }
  return samples
}

/** Below this, 40 dB under full scale, nobody speaks in these clips. */
const SPEECH_LEVEL = 0.01

function trimmed(samples: Float32Array): Float32Array {
  const first = samples.findIndex((sample) => Math.abs(sample) > SPEECH_LEVEL)
  const last = samples.findLastIndex((sample) => Math.abs(sample) > SPEECH_LEVEL)
  return samples.subarray(Math.max(0, first), last + 1)
}

function pairs(clips: readonly Clip[]): (readonly Clip[])[] {
  return Array.from({ length: Math.ceil(clips.length / 2) }, (_, index) => clips.slice(2 * index, 2 * index + 2))
}

/** 16 kHz, mono, 16 bit: what all clips are. */
export function samplesOf({ bytes }: Clip): Float32Array {
  const { audio } = openWav(bytes, Number.POSITIVE_INFINITY)
  const view = new DataView(audio.buffer, audio.byteOffset, audio.byteLength)
  return Float32Array.from({ length: audio.byteLength >> 1 }, (_, index) => view.getInt16(2 * index, true) / 2 ** 15)
}
