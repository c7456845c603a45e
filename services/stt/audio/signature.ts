import { readAdtsHeader } from './containers/adts.ts'
import { isWav } from './wav.ts'

/** Containers told by their first bytes. */
export type Container =
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'ogg'
  | 'webm'
  | 'm4a'
  | 'aac'
  | 'aiff'
  | 'au'
  | 'amr'
  | 'caf'
  | 'wma'
  | 'rifx'

/** Enough for every signature, and for some frames of MPEG audio that is joined in the middle, as radio is. */
const SIGNATURE_BYTES = 4_096
/** Where a frame does not begin the stream, so many have to follow each other: sound looks like one by chance. */
const FRAMES_IN_A_ROW = 3

const LONGEST_MARK_BYTES = 12

interface Mark {
  readonly container: Container
  readonly offset: number
  readonly bytes: readonly number[]
}

const MARKS: readonly Mark[] = [
  mark('mp3', 'ID3'),
  mark('flac', 'fLaC'),
  mark('ogg', 'OggS'),
  { container: 'webm', offset: 0, bytes: [0x1a, 0x45, 0xdf, 0xa3] },
  mark('m4a', 'ftyp', 4),
  mark('aac', 'ADIF'),
  mark('aiff', 'FORM'),
  mark('au', '.snd'),
  mark('amr', '#!AMR'),
  mark('caf', 'caff'),
  { container: 'wma', offset: 0, bytes: [0x30, 0x26, 0xb2, 0x75] },
  mark('rifx', 'RIFX'),
]

/** The container that starts with `bytes`; undefined when no signature fits (or too little has arrived). */
export function detectContainer(bytes: Uint8Array): Container | undefined {
  if (isWav(bytes)) return 'wav'
  const found = MARKS.find((each) => each.bytes.every((byte, index) => bytes[each.offset + index] === byte))
  return found?.container ?? mpegStream(bytes)
}

/**
 * False when no more bytes can make `bytes` the start of a known container: it is raw audio. MPEG audio may begin in the
 * middle of a frame; where it is out of the question the first bytes decide.
 */
export function mayBecomeContainer(bytes: Uint8Array, { mayBeMpeg }: { readonly mayBeMpeg: boolean }): boolean {
  if (bytes.length >= SIGNATURE_BYTES) return false
  if (bytes.length < LONGEST_MARK_BYTES || mayBeMpeg) return true
  return bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0
}

// A stream without a header starts with a frame: 11 (MPEG audio) or 12 (ADTS) set bits. Quiet raw PCM can look like
// that too, so a second frame has to follow where the first one says it ends.
function mpegStream(bytes: Uint8Array): Container | undefined {
  for (const [container, frameBytes] of [
    ['aac', adtsFrameBytes],
    ['mp3', mpegFrameBytes],
  ] as const) {
    const length = frameBytes(bytes, 0)
    if (length !== undefined && frameBytes(bytes, length) !== undefined) return container
    for (let offset = 1; offset < Math.min(bytes.length, SIGNATURE_BYTES); offset += 1) {
      if (bytes[offset] === 0xff && haveFrames(bytes, offset, frameBytes)) return container
    }
  }
  return undefined
}

/** Frames of one kind: version, layer and rate stay what they are. */
function haveFrames(bytes: Uint8Array, start: number, frameBytes: typeof mpegFrameBytes): boolean {
  let offset = start
  for (let frame = 0; frame < FRAMES_IN_A_ROW; frame += 1) {
    const length = frameBytes(bytes, offset)
    const isSame = bytes[offset + 1] === bytes[start + 1] && rateBits(bytes, offset) === rateBits(bytes, start)
    if (length === undefined || !isSame) return false
    offset += length
  }
  return true
}

function rateBits(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 2] ?? 0) & 0x0c
}

function adtsFrameBytes(bytes: Uint8Array, offset: number): number | undefined {
  return readAdtsHeader(bytes, offset)?.length
}

// Bitrates in kbit/s of layer III, MPEG-1 and MPEG-2, and the sample rates of MPEG-1 (ISO 11172-3, 13818-3).
const KBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const KBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const RATES_HZ = [44_100, 48_000, 32_000]

function mpegFrameBytes(bytes: Uint8Array, offset: number): number | undefined {
  const [first = 0, second = 0, third = 0] = bytes.subarray(offset, offset + 3)
  const version = (second >> 3) & 3
  const layer = (second >> 1) & 3
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || version === 1 || layer !== 1) return undefined
  const isVersion1 = version === 3
  const kbits = (isVersion1 ? KBITS_1 : KBITS_2)[third >> 4]
  const fullRateHz = RATES_HZ[(third >> 2) & 3]
  if (!kbits || !fullRateHz) return undefined
  const rateHz = fullRateHz / (isVersion1 ? 1 : version === 2 ? 2 : 4)
  return Math.floor(((isVersion1 ? 144_000 : 72_000) * kbits) / rateHz) + ((third >> 1) & 1)
}

function mark(container: Container, text: string, offset = 0): Mark {
  return { container, offset, bytes: Array.from(text, (letter) => letter.charCodeAt(0)) }
}
