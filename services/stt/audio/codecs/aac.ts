import { SpeechError } from '../../errors.ts'
import { type AdtsFrame, createAdtsReader, SAMPLES_A_FRAME } from '../containers/adts.ts'
import type { AudioDecoder, Decoded } from './port.ts'
import { assertDecoder, decodeWhole } from './whole-file.ts'

/** A quarter of a second at 44.1 kHz: often enough for live audio, seldom enough to be cheap. */
const FRAMES_AT_ONCE = 11
/** A frame is the sum of its own half and of the one before it: decoding begins that much earlier. */
const FRAMES_BEFORE = 2
/** A second or two in which nothing can be decoded: it is not damage, it is another kind of audio. */
const MAX_DAMAGED_FRAMES = 44

/** AAC in ADTS frames, a group at a time; the decoder takes nothing but wholes. Silence stands for a damaged frame. */
export async function createAacDecoder(): Promise<AudioDecoder> {
  await assertDecoder('AAC')
  const read = createAdtsReader()
  let before: readonly AdtsFrame[] = []
  let waiting: AdtsFrame[] = []
  let damagedFrames = 0
  /** Of what was decoded last; undefined as long as nothing was. */
  let channels: number | undefined

  async function decodeGroup(frames: readonly AdtsFrame[]): Promise<Decoded[]> {
    const [first] = frames
    if (!first) return []
    const decoded = await decodeGood(frames, first.sampleRateHz).catch((error: unknown) => {
      if (frames.length === 1 && (damagedFrames += 1) > MAX_DAMAGED_FRAMES) throw error
      return undefined
    })
    if (decoded) return [decoded]
    if (frames.length === 1) return replace(first)
    const middle = Math.ceil(frames.length / 2)
    return [...(await decodeGroup(frames.slice(0, middle))), ...(await decodeGroup(frames.slice(middle)))]
  }

  /** @throws {@link SpeechError} 415 when one of the frames is damaged. */
  async function decodeGood(frames: readonly AdtsFrame[], sampleRateHz: number): Promise<Decoded> {
    const lead = before.every((frame) => frame.sampleRateHz === sampleRateHz) ? before : []
    const all = [...lead, ...frames]
    const [whole] = await decodeWhole(Buffer.concat(all.map(({ bytes }) => bytes)), { name: 'AAC', sampleRateHz })
    // The decoder leaves out what it stumbles over, and a few frames after it.
    if (!whole || whole.samples.length < all.length * SAMPLES_A_FRAME) {
      throw new SpeechError(415, 'The AAC audio is damaged.')
    }
    before = all.slice(-FRAMES_BEFORE)
    damagedFrames = 0
    channels = whole.channels
    return { ...whole, samples: whole.samples.slice(lead.length * SAMPLES_A_FRAME) }
  }

  /** What comes after keeps its time. */
  function replace({ sampleRateHz }: AdtsFrame): Decoded[] {
    before = []
    return channels === undefined ? [] : [{ samples: new Float32Array(SAMPLES_A_FRAME), channels, sampleRateHz }]
  }

  return {
    async push(bytes) {
      waiting.push(...read(bytes))
      const decoded: Decoded[] = []
      while (waiting.length >= FRAMES_AT_ONCE) decoded.push(...(await decodeGroup(waiting.splice(0, FRAMES_AT_ONCE))))
      return decoded
    },
    async finish() {
      const rest = waiting
      waiting = []
      return decodeGroup(rest)
    },
    close: () => undefined,
  }
}
