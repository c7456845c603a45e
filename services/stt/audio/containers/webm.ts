import { SpeechError } from '../../errors.ts'
import { createFlacDecoder } from '../codecs/flac.ts'
import { createMp3Decoder } from '../codecs/mp3.ts'
import { createOpusPackets, plainHead, readOpusHead } from '../codecs/opus.ts'
import type { AudioDecoder, Decoded } from '../codecs/port.ts'
import { createVorbisDecoder } from '../codecs/vorbis.ts'
import type { SampleEncoding } from '../format.ts'
import { createPcmDecoder } from '../pcm-decoder.ts'
import { createEbmlReader, type EbmlItem } from './ebml.ts'
import { type FrameDecoder, framesAfter, framesInto } from './frame-decoder.ts'
import { createVorbisPages } from './vorbis-pages.ts'
import { framesOf } from './webm-lacing.ts'

// RFC 9559 §5.1.
const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
const BLOCK_GROUP = 0xa0
const TRACKS = 0x1654ae6b
const TRACK_ENTRY = 0xae
const AUDIO = 0xe1
const TRACK_NUMBER = 0xd7
const TRACK_TYPE = 0x83
const CODEC_ID = 0x86
const CODEC_PRIVATE = 0x63a2
const SAMPLING_FREQUENCY = 0xb5
const CHANNELS = 0x9f
const BIT_DEPTH = 0x6264
const SIMPLE_BLOCK = 0xa3
const BLOCK = 0xa1

const SCHEMA = {
  masters: new Set([SEGMENT, CLUSTER, BLOCK_GROUP, TRACKS, TRACK_ENTRY, AUDIO]),
  leaves: new Set([
    TRACK_NUMBER,
    TRACK_TYPE,
    CODEC_ID,
    CODEC_PRIVATE,
    SAMPLING_FREQUENCY,
    CHANNELS,
    BIT_DEPTH,
    SIMPLE_BLOCK,
    BLOCK,
  ]),
}

const AUDIO_TRACK = 2
/** A file may hold many tracks; one that lists thousands is no recording. */
const MAX_TRACKS = 64

interface Track {
  number: number
  type: number
  codec: string
  codecPrivate: Uint8Array | undefined
  sampleRateHz: number
  channels: number
  bits: number
}

/** The first audio track of WebM or Matroska, live or from a file. */
export function createWebmDecoder(): AudioDecoder {
  const read = createEbmlReader(SCHEMA)
  const tracks: Track[] = []
  let chosen: { readonly number: number; readonly codec: FrameDecoder } | undefined

  async function take({ id, payload }: EbmlItem): Promise<readonly Decoded[]> {
    if (id === TRACK_ENTRY) tracks.push(emptyTrack())
    if (tracks.length > MAX_TRACKS) throw new SpeechError(415, `The WebM file has more than ${MAX_TRACKS} tracks.`)
    if (!payload) return []
    if (id !== SIMPLE_BLOCK && id !== BLOCK) {
      describe(tracks.at(-1), id, payload)
      return []
    }
    chosen ??= await choose(tracks)
    return chosen.codec.decode(framesOf(payload, chosen.number))
  }

  return {
    async push(bytes) {
      const decoded: Decoded[] = []
      for (const item of read(bytes)) decoded.push(...(await take(item)))
      return decoded
    },
    finish: async () => chosen?.codec.finish() ?? [],
    close: () => chosen?.codec.close(),
  }
}

function emptyTrack(): Track {
  return { number: 0, type: 0, codec: '', codecPrivate: undefined, sampleRateHz: 8_000, channels: 1, bits: 16 }
}

function describe(track: Track | undefined, id: number, payload: Uint8Array): void {
  if (!track) return
  if (id === TRACK_NUMBER) track.number = unsigned(payload)
  if (id === TRACK_TYPE) track.type = unsigned(payload)
  if (id === CODEC_ID) track.codec = Buffer.from(payload).toString('latin1').replaceAll('\0', '')
  if (id === CODEC_PRIVATE) track.codecPrivate = payload
  if (id === SAMPLING_FREQUENCY) track.sampleRateHz = float(payload)
  if (id === CHANNELS) track.channels = unsigned(payload)
  if (id === BIT_DEPTH) track.bits = unsigned(payload)
}

async function choose(tracks: readonly Track[]): Promise<{ number: number; codec: FrameDecoder }> {
  const track = tracks.find(({ type }) => type === AUDIO_TRACK)
  if (!track) throw new SpeechError(415, 'The WebM file has no audio track.')
  return { number: track.number, codec: await openCodec(track) }
}

async function openCodec(track: Track): Promise<FrameDecoder> {
  const { codec, codecPrivate } = track
  if (codec === 'A_OPUS') {
    const packets = await createOpusPackets(codecPrivate ? readOpusHead(codecPrivate) : plainHead(track.channels))
    return { decode: async (frames) => packets.decode(frames), finish: async () => [], close: () => packets.close() }
  }
  if (codec === 'A_VORBIS' && codecPrivate) {
    const toPages = createVorbisPages(codecPrivate)
    return framesInto(await createVorbisDecoder(), (frames) => toPages(frames))
  }
  if (codec === 'A_FLAC' && codecPrivate) return framesAfter(codecPrivate, await createFlacDecoder())
  if (codec === 'A_MPEG/L3') return framesInto(await createMp3Decoder(), (frames) => Buffer.concat(frames))
  const pcm = pcmEncoding(track)
  if (pcm) {
    const { sampleRateHz, channels } = track
    const decode = createPcmDecoder({ encoding: pcm, sampleRateHz, channels })
    return {
      decode: async (frames) => frames.map((frame) => ({ samples: decode(frame), channels, sampleRateHz })),
      finish: async () => [],
      close: () => undefined,
    }
  }
  throw new SpeechError(
    415,
    `WebM audio in the codec "${codec}" is not supported; Opus, Vorbis, FLAC, MP3 and PCM are.`,
  )
}

function pcmEncoding({ codec, bits, sampleRateHz, channels }: Track): SampleEncoding | undefined {
  // The range of rates a resampler takes, and what one frame may hold.
  if (!(sampleRateHz >= 1_000 && sampleRateHz <= 384_000) || channels < 1 || channels > 32) return undefined
  const encodings: Readonly<Record<string, SampleEncoding>> = {
    'A_PCM/INT/LIT:8': 'u8',
    'A_PCM/INT/LIT:16': 's16',
    'A_PCM/INT/LIT:24': 's24',
    'A_PCM/INT/LIT:32': 's32',
    'A_PCM/FLOAT/IEEE:32': 'f32',
    'A_PCM/FLOAT/IEEE:64': 'f64',
  }
  return encodings[`${codec}:${bits}`]
}

function unsigned(payload: Uint8Array): number {
  return payload.reduce((value, byte) => value * 256 + byte, 0)
}

function float(payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  if (payload.length === 4) return view.getFloat32(0)
  return payload.length === 8 ? view.getFloat64(0) : 0
}
