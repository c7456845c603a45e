import { SpeechError } from '../../errors.ts'
import { type AudioDecoder, type Decoded, STEP_BYTES } from '../codecs/port.ts'
import { decodeWhole } from '../codecs/whole-file.ts'
import { tooLong } from '../refusals.ts'
import { AAC_RATES_HZ } from './adts.ts'
import { dropLead } from './lead.ts'
import { createMp4Decoder } from './mp4.ts'
import { type Box, boxesOf, findBoxes, numberIn } from './mp4-boxes.ts'
import { createMp4Reader } from './mp4-reader.ts'
import { leadSecondsOf } from './mp4-track.ts'

/**
 * A file of MP4, plain or in fragments. AAC and ALAC are decoded as a whole, for the sake of the latter, and so is what has
 * its index last; the rest as it comes.
 */
export function createM4aDecoder(maxSeconds: number): AudioDecoder {
  const parts: Uint8Array[] = []
  const reader = createMp4Reader()
  let isWhole: boolean | undefined
  let framed: AudioDecoder | undefined
  return {
    async push(bytes) {
      if (framed) return framed.push(bytes)
      parts.push(new Uint8Array(bytes))
      if (isWhole) return []
      reader.push(bytes)
      const item = reader.next()
      isWhole = item && (item.type !== 'moov' || entryOf(item.bytes) !== undefined)
      if (isWhole !== false) return []
      framed = createMp4Decoder()
      return framed.push(Buffer.concat(parts.splice(0)))
    },
    async finish() {
      if (framed) return framed.finish()
      const file = Buffer.concat(parts)
      if (findBoxes(file, 'moov').length === 0)
        throw new SpeechError(415, 'The M4A file has no index: it may be cut short.')
      const entry = entryOf(file)
      if (!entry) return decodeFrames(withIndexFirst(file), maxSeconds)
      const { seconds, sampleRateHz } = durationOf(file, entry)
      // Before it is decoded: a few bytes may say that they are days of silence. The last frame is counted as a whole.
      if (seconds > maxSeconds + 1) throw tooLong(maxSeconds, seconds)
      // The package takes no notice of it.
      const withoutLead = dropLead(leadSecondsOf(file))
      return withoutLead(await decodeWhole(withIndexFirst(file), { name: 'M4A', sampleRateHz }))
    },
    close: () => framed?.close(),
  }
}

/** Sound whose index came last: it has been moved. */
async function decodeFrames(file: Uint8Array, maxSeconds: number): Promise<Decoded[]> {
  const decoder = createMp4Decoder()
  const decoded: Decoded[] = []
  let seconds = 0
  try {
    for (let offset = 0; offset < file.length; offset += STEP_BYTES) {
      for (const part of await decoder.push(file.subarray(offset, offset + STEP_BYTES))) {
        decoded.push(part)
        seconds += part.samples.length / part.sampleRateHz
      }
      if (seconds > maxSeconds + 1) throw tooLong(maxSeconds)
    }
    return [...decoded, ...(await decoder.finish())]
  } finally {
    decoder.close()
  }
}

/** The longest a frame is, of ALAC; one of AAC has 1024 samples. */
const SAMPLES_A_FRAME = { mp4a: 1_024, alac: 4_096 } as const
const DEFAULT_RATE_HZ = 48_000

/** What describes AAC or ALAC; undefined where there is neither. */
function entryOf(file: Uint8Array): Box | undefined {
  return (
    findBoxes(file, 'moov/trak/mdia/minf/stbl/stsd')
      // Version, flags and the number of entries come first.
      .flatMap(({ bodyStart, end }) => boxesOf(file, Math.min(bodyStart + 8, end), end))
      .find(({ type }) => type in SAMPLES_A_FRAME)
  )
}

function durationOf(file: Uint8Array, entry: Box): { seconds: number; sampleRateHz: number } {
  const sampleRateHz = numberIn(file, entry, 24) / 65_536
  // An odd rate, of a damaged file, would make the package resample for seconds.
  const rateHz = AAC_RATES_HZ.includes(sampleRateHz) ? sampleRateHz : DEFAULT_RATE_HZ
  const frames =
    sum(findBoxes(file, 'moov/trak/mdia/minf/stbl/stsz'), (box) => numberIn(file, box, 8)) +
    sum(findBoxes(file, 'moof/traf/trun'), (box) => numberIn(file, box, 4))
  const samples = frames * SAMPLES_A_FRAME[entry.type as keyof typeof SAMPLES_A_FRAME]
  return { seconds: samples / rateHz, sampleRateHz: rateHz }
}

/** The file with its index before its audio, where the decoder looks for it; telephones write it at the end. */
function withIndexFirst(file: Uint8Array): Uint8Array {
  const boxes = boxesOf(file)
  const index = boxes.find(({ type }) => type === 'moov')
  const audio = boxes.find(({ type }) => type === 'mdat')
  if (!index || !audio || index.start < audio.start) return file
  const moov = new Uint8Array(file.subarray(index.start, index.end))
  const moved = moov.length
  const view = new DataView(moov.buffer)
  for (const box of findBoxes(moov, 'moov/trak/mdia/minf/stbl/stco'))
    moveOffsets(view, box, { by: moved, isLong: false })
  for (const box of findBoxes(moov, 'moov/trak/mdia/minf/stbl/co64'))
    moveOffsets(view, box, { by: moved, isLong: true })
  return Buffer.concat([
    file.subarray(0, audio.start),
    moov,
    file.subarray(audio.start, index.start),
    file.subarray(index.end),
  ])
}

/** Where the chunks of audio begin: the number of entries, then the entries. */
function moveOffsets(view: DataView, { bodyStart, end }: Box, { by, isLong }: { by: number; isLong: boolean }): void {
  for (let at = bodyStart + 8; at + (isLong ? 8 : 4) <= end; at += isLong ? 8 : 4) {
    if (isLong) view.setBigUint64(at, view.getBigUint64(at) + BigInt(by))
    else view.setUint32(at, view.getUint32(at) + by)
  }
}

function sum(boxes: readonly Box[], read: (box: Box) => number): number {
  return boxes.reduce((total, box) => total + read(box), 0)
}
