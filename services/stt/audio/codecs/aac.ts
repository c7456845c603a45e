import { type AdtsFrame, createAdtsReader, SAMPLES_A_FRAME } from '../containers/adts.ts'
import type { AudioDecoder, Decoded } from './port.ts'
import { decodeWhole } from './whole-file.ts'

/** A quarter of a second at 44.1 kHz: often enough for live audio, seldom enough to be cheap. */
const FRAMES_AT_ONCE = 11
/** A frame is the sum of its own half and of the one before it: decoding begins that much earlier. */
const FRAMES_BEFORE = 2

/** AAC in ADTS frames, a group at a time; the decoder takes nothing but wholes. */
export function createAacDecoder(): AudioDecoder {
  const read = createAdtsReader()
  let before: AdtsFrame[] = []
  let waiting: AdtsFrame[] = []

  async function decodeGroup(frames: readonly AdtsFrame[]): Promise<Decoded[]> {
    const [first] = frames
    if (!first) return []
    const lead = before.every(({ sampleRateHz }) => sampleRateHz === first.sampleRateHz) ? before : []
    before = [...lead, ...frames].slice(-FRAMES_BEFORE)
    const bytes = Buffer.concat([...lead, ...frames].map((frame) => frame.bytes))
    const [whole] = await decodeWhole(bytes, { name: 'AAC', sampleRateHz: first.sampleRateHz })
    if (!whole) return []
    return [{ ...whole, samples: whole.samples.slice(lead.length * SAMPLES_A_FRAME) }]
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
