import { SpeechError } from '../../errors.ts'
import { AAC_RATES_HZ, type AdtsKind } from './adts.ts'
import { type Box, boxesOf, findBoxes, longNumberIn, numberIn } from './mp4-boxes.ts'

/** The sound track of an MP4 file or stream, as its index describes it (ISO 14496-12 §8). */
export interface Mp4Track {
  readonly id: number
  readonly codec: Mp4Codec
  /** What the encoder put before the sound: the edit list leaves it out. */
  readonly leadSeconds: number
  /** Where the `trak` box lies in the index. */
  readonly box: Box
}

export type Mp4Codec =
  | (AdtsKind & { readonly name: 'aac' })
  | { readonly name: 'mp3' }
  /** Beside the header the codec has in an Ogg or a FLAC stream. */
  | { readonly name: 'opus' | 'flac'; readonly header: Uint8Array }
  /** Decoded by whole files only. */
  | { readonly name: 'alac' }

const MAX_LEAD_SECONDS = 0.5

/** What precedes the boxes in a box with a version and flags. */
const VERSION_BYTES = 4
/** Of a sample entry of version 0, 1 and 2 before its boxes; the latter two are QuickTime's. */
const ENTRY_BYTES = [28, 44, 64] as const

/**
 * The first track of sound.
 * @throws {@link SpeechError} 415 where there is none, or none that can be decoded.
 */
export function readMp4Track(index: Uint8Array): Mp4Track {
  for (const { box, inside } of soundTracks(index)) {
    const header = inside('tkhd')
    const entries = inside('mdia/minf/stbl/stsd')
    if (!header || !entries) continue
    const isLong = index[header.bodyStart] === 1
    const [entry] = boxesOf(index, entries.bodyStart + 2 * VERSION_BYTES, entries.end)
    if (!entry) continue
    return {
      id: numberIn(index, header, isLong ? 20 : 12),
      codec: readCodec(index, entry),
      leadSeconds: leadOf(index, inside),
      box,
    }
  }
  throw new SpeechError(415, 'The M4A audio has no sound track.')
}

/** Of the first track of sound, whatever its codec; 0 where there is none. */
export function leadSecondsOf(file: Uint8Array): number {
  const [track] = soundTracks(file)
  return track ? leadOf(file, track.inside) : 0
}

interface SoundTrack {
  readonly box: Box
  readonly inside: Inside
}

/** The first box of a track at the end of a path. */
type Inside = (path: string) => Box | undefined

function soundTracks(index: Uint8Array): SoundTrack[] {
  return findBoxes(index, 'moov/trak')
    .map((box) => ({ box, inside: (path: string) => findBoxes(index, path, box).at(0) }))
    .filter(({ inside }) => {
      const handler = inside('mdia/hdlr')
      return handler && textAt(index, handler.bodyStart + 8) === 'soun'
    })
}

/** Where in the sound its first edit begins (§8.6.6). */
function leadOf(index: Uint8Array, inside: Inside): number {
  const [edits, media] = [inside('edts/elst'), inside('mdia/mdhd')]
  if (!edits || !media) return 0
  const start = index[edits.bodyStart] === 1 ? longNumberIn(index, edits, 16) : numberIn(index, edits, 12)
  const unitsPerSecond = numberIn(index, media, index[media.bodyStart] === 1 ? 20 : 12)
  const seconds = start / unitsPerSecond
  // An edit may be empty (-1), to begin later; and longer than this no encoder's lead is.
  return seconds <= MAX_LEAD_SECONDS ? seconds : 0
}

function readCodec(index: Uint8Array, entry: Box): Mp4Codec {
  const version = numberIn(index, entry, 8) >>> 16
  const boxes = boxesOf(index, entry.bodyStart + (ENTRY_BYTES[version] ?? ENTRY_BYTES[0]), entry.end)
  const bodyOf = (type: string): Uint8Array | undefined => {
    const box = boxes.find((each) => each.type === type)
    return box && index.slice(box.bodyStart, box.end)
  }
  const [specific, opus, flac] = [bodyOf('esds'), bodyOf('dOps'), bodyOf('dfLa')]
  if (entry.type === 'alac') return { name: 'alac' }
  if (entry.type === 'mp4a' && specific) return readSpecific(specific)
  if (entry.type === 'Opus' && opus) return { name: 'opus', header: toOpusHead(opus) }
  if (entry.type === 'fLaC' && flac) {
    return { name: 'flac', header: Buffer.concat([Buffer.from('fLaC'), flac.subarray(VERSION_BYTES)]) }
  }
  throw new SpeechError(
    415,
    `M4A audio in the codec "${entry.type}" is not supported; AAC, ALAC, Opus, FLAC and MP3 are.`,
  )
}

// Descriptors (ISO 14496-1 §7.2.6): a tag, a length of seven bits a byte, then what it describes.
const ES_DESCRIPTOR = 3
const DECODER_CONFIG = 4
const DECODER_SPECIFIC = 5
/** Kinds of audio (§7.2.6.6). */
const MPEG_4_AUDIO = 0x40
const MPEG_2_AAC: ReadonlySet<number> = new Set([0x66, 0x67, 0x68])
const MPEG_AUDIO: ReadonlySet<number> = new Set([0x69, 0x6b])

function readSpecific(esds: Uint8Array): Mp4Codec {
  const stream = descriptor(esds.subarray(VERSION_BYTES), ES_DESCRIPTOR)
  // Its number, then flags that say which fields follow.
  const [, , flags = 0] = stream
  const optional = (flags & 0x80 ? 2 : 0) + (flags & 0x40 ? 1 + (stream[3] ?? 0) : 0) + (flags & 0x20 ? 2 : 0)
  const config = descriptor(stream.subarray(3 + optional), DECODER_CONFIG)
  const [kind = 0] = config
  if (MPEG_AUDIO.has(kind)) return { name: 'mp3' }
  if (kind !== MPEG_4_AUDIO && !MPEG_2_AAC.has(kind)) throw damaged()
  return readAacConfig(descriptor(config.subarray(13), DECODER_SPECIFIC))
}

/** What a descriptor of this kind holds. @throws {@link SpeechError} 415 where another one is. */
function descriptor(bytes: Uint8Array, tag: number): Uint8Array {
  if (bytes[0] !== tag) throw damaged()
  let length = 0
  let at = 1
  for (; at <= 4; at += 1) {
    const byte = bytes[at] ?? 0
    length = length * 128 + (byte & 0x7f)
    if (byte < 0x80) break
  }
  return bytes.subarray(at + 1, at + 1 + length)
}

/** Spectral band replication and parametric stereo come on top of another kind of AAC. */
const ON_TOP: ReadonlySet<number> = new Set([5, 29])
const ESCAPED_RATE = 15
/** What the header of an ADTS frame has room for. */
const MAX_PROFILE = 4
const MAX_CHANNELS = 7

/** AudioSpecificConfig (ISO 14496-3 §1.6.2.1): of AAC whose frames fit behind an ADTS header. */
function readAacConfig(config: Uint8Array): Mp4Codec {
  let at = 0
  const bits = (count: number): number => {
    let value = 0
    for (const end = at + count; at < end; at += 1) value = value * 2 + (((config[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
  const rate = (): number => {
    const index = bits(4)
    return index === ESCAPED_RATE ? AAC_RATES_HZ.indexOf(bits(24)) : index
  }
  let kind = bits(5)
  const rateIndex = rate()
  const channels = bits(4)
  if (ON_TOP.has(kind)) {
    rate()
    kind = bits(5)
  }
  const isKnown = kind >= 1 && kind <= MAX_PROFILE && rateIndex in AAC_RATES_HZ && channels <= MAX_CHANNELS
  if (!isKnown) throw new SpeechError(415, 'The M4A audio is AAC of a kind that is not supported.')
  return { name: 'aac', profile: kind - 1, rateIndex, channels }
}

/** The box has the fields of the header in Ogg, in the other byte order and without its name. */
function toOpusHead(box: Uint8Array): Uint8Array {
  const head = Buffer.concat([Buffer.from('OpusHead\x01'), box.subarray(1)])
  if (head.length < 19) throw damaged()
  const view = new DataView(box.buffer, box.byteOffset, box.byteLength)
  head.writeUInt16LE(view.getUint16(2), 10)
  head.writeUInt32LE(view.getUint32(4), 12)
  head.writeInt16LE(view.getInt16(8), 16)
  return head
}

function damaged(): SpeechError {
  return new SpeechError(415, 'The M4A audio has an index that makes no sense.')
}

function textAt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + 4)).toString('latin1')
}
