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

/** Of PCM that is heard at a time: a millisecond of work, a fifth less than second by second. */
const STEP_SECONDS = 2
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

  function take(heard: Heard): void {
    heardSamples += heard.samples.length
    if (heardSamples > maxSeconds * SAMPLE_RATE_HZ) throw tooLong(maxSeconds)
    parts.push(heard)
  }

  try {
    for (let offset = 0; offset < audio.length; offset += step) {
      signal?.throwIfAborted()
      const heard = await ear.push(audio.subarray(offset, offset + step))
      take(heard)
      await hold?.(heard.samples.byteLength)
    }
    take(await ear.finish())
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
