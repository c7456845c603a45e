import type { SpeechQuery } from '../../wire/speech.ts'

/** What a stream has sent and a speech server may have to be told again. Pieces keep their borders: they may be packets. */
export type HeldItem = Buffer | 'Finalize'

/** The audio since the last final words, for the server that goes on when this one dies. */
export interface HeldAudio {
  /** Seconds of the stream that come before what is held. */
  readonly startSeconds: number
  /** Undefined: more came than is held, so nobody can go on. */
  items(): readonly HeldItem[] | undefined
  add(item: HeldItem): void
  /** Words up to here are final. */
  commit(endSeconds: number, options: { readonly answersFinalize: boolean }): void
}

/** Raw audio, of which any whole frame is a beginning. */
interface RawFormat {
  readonly frameBytes: number
  readonly framesPerSecond: number
}

/** No words are open longer: a speech server cuts speech before its window of 30 s is full, so what is older is silence. */
const HELD_SECONDS = 60
/** Of audio in a container, which can only be heard from its start: some minutes to an hour of it. */
const HELD_BYTES = 8 * 1024 * 1024

const SAMPLE_BYTES: Readonly<Record<string, number>> = {
  pcm: 2,
  linear16: 2,
  s16le: 2,
  mulaw: 1,
  ulaw: 1,
  alaw: 1,
}
const DEFAULT_RATE_HZ = 16_000

export function createHeldAudio(query: SpeechQuery): HeldAudio {
  const raw = rawFormatOf(query)
  return raw ? holdRaw(raw) : holdAll()
}

function rawFormatOf({ encoding, sample_rate: rate, channels = '1' }: SpeechQuery): RawFormat | undefined {
  const sampleBytes = SAMPLE_BYTES[encoding?.toLowerCase() ?? '']
  if (sampleBytes === undefined) return undefined
  return { frameBytes: sampleBytes * Number(channels), framesPerSecond: Number(rate ?? DEFAULT_RATE_HZ) }
}

function holdRaw({ frameBytes, framesPerSecond }: RawFormat): HeldAudio {
  let items: HeldItem[] = []
  let heldBytes = 0
  let startFrame = 0
  let isKnownRaw = false

  function drop(frames: number): void {
    let toDrop = Math.min(frames * frameBytes, heldBytes - (heldBytes % frameBytes))
    startFrame += toDrop / frameBytes
    heldBytes -= toDrop
    const kept: HeldItem[] = []
    for (const item of items) {
      if (item === 'Finalize' || toDrop === 0) {
        kept.push(item)
        continue
      }
      const dropped = Math.min(toDrop, item.length)
      toDrop -= dropped
      if (dropped < item.length) kept.push(item.subarray(dropped))
    }
    items = kept
  }

  /** Clients stream whole WAV files as linear16; their header is no audio, and nothing can be told from the middle. */
  function isHeader(item: HeldItem): boolean {
    return item !== 'Finalize' && !isKnownRaw && item.subarray(0, 4).toString('latin1') === 'RIFF'
  }

  let whole: HeldAudio | undefined
  return {
    get startSeconds() {
      return whole ? 0 : startFrame / framesPerSecond
    },
    items: () => (whole ? whole.items() : items),
    add(item) {
      if (!whole && isHeader(item)) whole = holdAll()
      if (whole) return whole.add(item)
      isKnownRaw ||= item !== 'Finalize'
      items.push(item)
      if (item === 'Finalize') return
      heldBytes += item.length
      const most = HELD_SECONDS * framesPerSecond
      const frames = Math.floor(heldBytes / frameBytes)
      // A second at a time, so that not every packet moves the list.
      if (frames > most + framesPerSecond) drop(frames - most)
    },
    commit(endSeconds, options) {
      if (whole) return whole.commit(endSeconds, options)
      drop(Math.max(0, Math.round(endSeconds * framesPerSecond) - startFrame))
      if (options.answersFinalize) items = withoutFinalize(items)
    },
  }
}

function holdAll(): HeldAudio {
  let items: HeldItem[] | undefined = []
  let heldBytes = 0
  return {
    startSeconds: 0,
    items: () => items,
    add(item) {
      if (item !== 'Finalize') heldBytes += item.length
      if (heldBytes > HELD_BYTES) items = undefined
      items?.push(item)
    },
    commit(_endSeconds, { answersFinalize }) {
      if (items && answersFinalize) items = withoutFinalize(items)
    },
  }
}

/** The oldest one has been answered. */
function withoutFinalize(items: readonly HeldItem[]): HeldItem[] {
  const at = items.indexOf('Finalize')
  return at === -1 ? [...items] : items.toSpliced(at, 1)
}
