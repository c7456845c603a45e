import { openWav } from '../../../services/stt/audio/file.ts'
import { SAMPLE_RATE_HZ } from '../../../services/stt/audio/format.ts'
import { wavOf } from '../../../services/stt/testing.ts'
import { bundledClips, type Clip, clipFrom } from '../../walk/clips.ts'

/** A WAV file and what is said in it. */
export interface Recording {
  readonly clip: Clip
  readonly seconds: number
}

const BYTES_PER_SECOND = 2 * SAMPLE_RATE_HZ
const MINUTE_SECONDS = 60
/** Between two clips of the minute: as readers pause between sentences. */
const PAUSE_SECONDS = 0.5

/** jfk.wav, about a minute of all clips, and files of one's own. */
export async function recordings(paths: readonly string[]): Promise<Recording[]> {
  const clips = await bundledClips()
  const own = await Promise.all(paths.map(clipFrom))
  return [...clips.filter(({ name }) => name === 'jfk.wav'), minuteOf(clips), ...own].map((clip) => ({
    clip,
    seconds: pcmOf(clip).byteLength / BYTES_PER_SECOND,
  }))
}

/** Whole clips one after the other, again from the first, while they fit. */
function minuteOf(clips: readonly Clip[]): Clip {
  const pause = new Uint8Array(PAUSE_SECONDS * BYTES_PER_SECOND)
  const parts: Uint8Array[] = []
  const words: string[] = []
  let bytes = 0
  for (let index = 0; ; index += 1) {
    const clip = clips[index % clips.length]
    if (!clip) break
    const pcm = pcmOf(clip)
    if (bytes + pcm.byteLength > MINUTE_SECONDS * BYTES_PER_SECOND) break
    parts.push(pcm, pause)
    words.push(clip.words ?? '')
    bytes += pcm.byteLength + pause.byteLength
  }
  return { name: 'a minute of the clips', bytes: wavOf(Buffer.concat(parts)), words: words.join(' ') }
}

/** 16 kHz, mono, 16 bit: what all clips are. */
function pcmOf({ bytes }: Clip): Uint8Array {
  return openWav(bytes, Number.POSITIVE_INFINITY).audio
}
