import { bytesPerFrame, isPcm, SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { AudioFormat } from '../audio/format.ts'
import type { OpenedFile } from '../audio/file.ts'
import { joinGradually, joinSamples } from '../audio/join-samples.ts'
import { tooLong } from '../audio/refusals.ts'
import type { Ears, Heard } from '../vad/ears.ts'

/** A whole recording as the engines hear it. */
export interface Recording extends Heard {
  readonly seconds: number
}

export interface ListenOptions {
  readonly maxSeconds: number
  readonly signal: AbortSignal | undefined
  /** As of `FileOptions`. */
  readonly hold?: ((bytes: number) => Promise<void>) | undefined
}

/** Of PCM that is heard at a time: two milliseconds of work, a third less than second by second. */
const STEP_SECONDS = 4
/** Compressed audio that is decoded at a time: some seconds of speech. */
const COMPRESSED_STEP_BYTES = 16 * 1024

/**
 * Decodes, resamples and judges a file, some seconds at a time, so that live streams are heard in between.
 * @throws {@link SpeechError} 413 for more than `maxSeconds`, 415 for what cannot be decoded.
 */
export async function listenTo(
  { format, audio }: OpenedFile,
  ears: Ears,
  { maxSeconds, signal, hold }: ListenOptions,
): Promise<Recording> {
  const step = stepBytes(format)
  const ear = ears.open(format, maxSeconds)
  const parts: Heard[] = []
  let heardSamples = 0

  async function take(hearing: Promise<Heard>): Promise<void> {
    const heard = await hearing
    heardSamples += heard.samples.length
    if (heardSamples > maxSeconds * SAMPLE_RATE_HZ) throw tooLong(maxSeconds)
    parts.push(heard)
    await hold?.(heard.samples.byteLength)
  }

  try {
    // The next step is on its way while one is heard.
    let hearing: Promise<Heard> | undefined
    for (let offset = 0; offset < audio.length; offset += step) {
      signal?.throwIfAborted()
      const next = ear.push(audio.subarray(offset, offset + step))
      // Said when its turn comes, if it comes.
      next.catch(() => undefined)
      if (hearing) await take(hearing)
      hearing = next
    }
    if (hearing) await take(hearing)
    await take(ear.finish())
  } finally {
    ear.close()
  }
  return {
    samples: await joinGradually(
      parts.map(({ samples }) => samples),
      new Float32Array(heardSamples),
    ),
    probabilities: joinSamples(parts.map(({ probabilities }) => probabilities)),
    channels: parts.at(-1)?.channels ?? 1,
    seconds: heardSamples / SAMPLE_RATE_HZ,
  }
}

function stepBytes(format: AudioFormat): number {
  return isPcm(format) ? bytesPerFrame(format) * format.sampleRateHz * STEP_SECONDS : COMPRESSED_STEP_BYTES
}
