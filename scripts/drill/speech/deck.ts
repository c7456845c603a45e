import { readFile } from 'node:fs/promises'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { createOggReader } from '../../../services/stt/audio/containers/ogg-pages.ts'
import { openWav } from '../../../services/stt/audio/file.ts'
import { bundledClips } from '../../walk/clips.ts'
import { cut, joined, resample, SAMPLE_RATE_HZ, samplesOf, silence, toLinear16, toMulaw } from './pcm.ts'

/** Something to say over a live connection: its bytes as a client sends them, and the words in it. */
export interface Programme {
  readonly name: string
  /** How the client declares it. */
  readonly query: string
  /** Messages; where `isPackets`, they may not be cut otherwise. */
  readonly frames: readonly Buffer[]
  /** Of sound in one message, on average. */
  readonly frameSeconds: number
  readonly seconds: number
  readonly words: string
  /** Its bytes say nothing about how much sound is in them. */
  readonly isCompressed: boolean
  /** One sentence over and over, without pauses. */
  readonly isRepeated: boolean
}

const FRAME_SECONDS = 0.1
const OPUS_FRAME_SECONDS = 0.02
const LEAST_PAUSE_SECONDS = 0.3
const MOST_PAUSE_SECONDS = 1.6
/** Before the first word and after the last one. */
const EDGE_SECONDS = 0.4

interface PcmForm {
  readonly query: string
  readonly rateHz: number
  readonly channels: number
  readonly isMulaw?: boolean
}

const PCM_FORMS: readonly PcmForm[] = [
  { query: 'encoding=linear16', rateHz: 16_000, channels: 1 },
  { query: 'encoding=linear16&sample_rate=8000', rateHz: 8_000, channels: 1 },
  { query: 'encoding=linear16&sample_rate=48000', rateHz: 48_000, channels: 1 },
  { query: 'encoding=linear16&sample_rate=16000&channels=2', rateHz: 16_000, channels: 2 },
  { query: 'encoding=linear16&sample_rate=48000&channels=2', rateHz: 48_000, channels: 2 },
  { query: 'encoding=mulaw&sample_rate=8000', rateHz: 8_000, channels: 1, isMulaw: true },
  { query: '', rateHz: 16_000, channels: 1 },
]

/** The start of jfk.wav in fixtures/audio/formats. */
const FELLOW = { seconds: 2.4, words: 'And so, my fellow Americans' }
/** Formats whose files may follow each other in one stream, and how often; those of more than one link are chains. */
const COMPRESSED = [
  { file: 'fellow.mp3', query: 'encoding=mp3', times: 2 },
  { file: 'fellow.mp3', query: '', times: 1 },
  { file: 'fellow.opus.ogg', query: 'encoding=ogg-opus', times: 2 },
  { file: 'fellow.vorbis.ogg', query: '', times: 1 },
  { file: 'fellow.opus.webm', query: 'encoding=webm', times: 1 },
  { file: 'fellow.opus.mp4', query: '', times: 1 },
  { file: 'fellow.fragmented.m4a', query: 'encoding=m4a', times: 1 },
  { file: 'fellow.flac', query: 'encoding=flac', times: 1 },
] as const
const OPUS_TIMES = 2

interface Speech {
  readonly samples: Float32Array
  readonly words: string
}

/** What the drill says: every form, each with other sentences and pauses. */
export async function createDeck(random: () => number): Promise<Programme[]> {
  const clips = (await bundledClips()).map(({ bytes, words = '' }): Speech => ({
    samples: samplesOf(openWav(bytes, Number.POSITIVE_INFINITY).audio),
    words,
  }))
  const raw = PCM_FORMS.map((form) => toPcmProgramme(sentences(clips, random), form))
  const compressed = await Promise.all(COMPRESSED.map(toCompressedProgramme))
  return [...raw, ...compressed, await opusPackets(), await wholeWav()]
}

/** Two sentences with silence around them. */
function sentences(clips: readonly Speech[], random: () => number): Speech {
  const chosen = [0, 1].flatMap(() => clips[Math.floor(random() * clips.length)] ?? [])
  const parts = chosen.flatMap(({ samples }, index) => {
    const pause = LEAST_PAUSE_SECONDS + random() * (MOST_PAUSE_SECONDS - LEAST_PAUSE_SECONDS)
    return [silence(index === 0 ? EDGE_SECONDS : pause), samples]
  })
  return { samples: joined([...parts, silence(EDGE_SECONDS)]), words: chosen.map(({ words }) => words).join(' ') }
}

function toPcmProgramme({ samples, words }: Speech, form: PcmForm): Programme {
  const { query, rateHz, channels, isMulaw = false } = form
  const resampled = resample(samples, rateHz)
  const bytes = isMulaw ? toMulaw(resampled) : toLinear16(resampled, channels)
  const frameBytes = Math.round(FRAME_SECONDS * rateHz) * (isMulaw ? 1 : 2 * channels)
  return {
    name: query || 'undeclared',
    query,
    frames: cut(bytes, frameBytes),
    frameSeconds: FRAME_SECONDS,
    seconds: resampled.length / rateHz,
    words,
    isCompressed: false,
    isRepeated: false,
  }
}

async function toCompressedProgramme({ file, query, times }: (typeof COMPRESSED)[number]): Promise<Programme> {
  const once = await readFile(fixturePath('audio', 'formats', file))
  const bytes = Buffer.concat(Array.from({ length: times }, () => once))
  const seconds = times * FELLOW.seconds
  const frames = cut(bytes, Math.ceil((bytes.length * FRAME_SECONDS) / seconds))
  return {
    name: `${times} × ${file}`,
    query,
    frames,
    frameSeconds: FRAME_SECONDS,
    seconds,
    words: repeated(times),
    isCompressed: true,
    isRepeated: times > 1,
  }
}

/** One message a packet. */
async function opusPackets(): Promise<Programme> {
  const pages = createOggReader()(await readFile(fixturePath('audio', 'formats', 'fellow.opus.ogg')))
  // The first two pages are headers.
  const packets = pages.slice(2).flatMap(({ packets: inPage }) => inPage.map((packet) => Buffer.from(packet)))
  const frames = Array.from({ length: OPUS_TIMES }, () => packets).flat()
  return {
    name: 'Opus packets',
    query: 'encoding=opus',
    frames,
    frameSeconds: OPUS_FRAME_SECONDS,
    seconds: frames.length * OPUS_FRAME_SECONDS,
    words: repeated(OPUS_TIMES),
    isCompressed: true,
    isRepeated: true,
  }
}

/** As clients stream a file whatever they declare. */
async function wholeWav(): Promise<Programme> {
  const bytes = await readFile(fixturePath('audio', 'jfk.wav'))
  const [clip] = await bundledClips()
  const frameBytes = FRAME_SECONDS * SAMPLE_RATE_HZ * 2
  const audioBytes = openWav(bytes, Number.POSITIVE_INFINITY).audio.length
  return {
    name: 'a WAV file',
    query: 'encoding=linear16',
    frames: cut(bytes, frameBytes),
    frameSeconds: FRAME_SECONDS,
    seconds: audioBytes / 2 / SAMPLE_RATE_HZ,
    words: clip?.words ?? '',
    isCompressed: false,
    isRepeated: false,
  }
}

function repeated(times: number): string {
  return Array.from({ length: times }, () => FELLOW.words).join(' ')
}
