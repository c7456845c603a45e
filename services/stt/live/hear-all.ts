import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { LEAST_LEFT_OUT_SECONDS, WORD_END_SECONDS } from '../domain/left-out.ts'
import type { Recognition } from '../whisper/port.ts'
import { saidBy } from './result.ts'
import type { Transcribe, Window } from './transcriber.ts'

/** Sound before a voice: Whisper clips first words without it. */
const PRE_ROLL_SECONDS = 0.3

/**
 * Hears what a window leaves out at its end by itself: now and then the model takes a pause for the end of everything,
 * however much is said after it.
 */
export function hearingAll(transcribe: Transcribe): Transcribe {
  return async (window) => {
    let samples: Float32Array = new Float32Array()
    const take = (): Float32Array => (samples = window.samples())
    let heard = await transcribe({ ...window, samples: take })
    for (;;) {
      const startSample = unheardIn(window, heard, samples.length)
      if (startSample === undefined) return heard
      const rest = samples.subarray(startSample - window.startSample)
      // What was known, shown or expected is of the words before.
      const { purpose, voice, isDue, signal } = window
      const haste = isDue ? { isDue, signal } : { signal }
      const more = await transcribe({ purpose, samples: () => rest, startSample, voice, ...haste })
      if (more.isDoubtful || more.words.length === 0) return heard
      heard = joined(heard, more, (startSample - window.startSample) / SAMPLE_RATE_HZ)
    }
  }
}

/** Where the voice begins that no word was heard in. */
function unheardIn(
  { purpose, startSample, voice, known }: Window,
  { words }: Recognition,
  sampleCount: number,
): number | undefined {
  // A final that hears nothing after what is known is heard without that.
  const heardSeconds = words.at(-1)?.endSeconds ?? (purpose === 'interim' ? known?.endSeconds : undefined)
  if (heardSeconds === undefined) return undefined
  const [from, to] = [startSample + Math.round(heardSeconds * SAMPLE_RATE_HZ), startSample + sampleCount]
  const pause = voice.next(false, from, to)
  const isTail = pause - from <= WORD_END_SECONDS * SAMPLE_RATE_HZ
  const voiceStart = isTail ? voice.next(true, pause, to) : from
  if (voice.voicedSamples(voiceStart, to) < LEAST_LEFT_OUT_SECONDS * SAMPLE_RATE_HZ) return undefined
  return Math.max(from, voiceStart - PRE_ROLL_SECONDS * SAMPLE_RATE_HZ)
}

function joined(one: Recognition, other: Recognition, seconds: number): Recognition {
  const later = other.words.map((word) => ({
    ...word,
    startSeconds: word.startSeconds + seconds,
    endSeconds: word.endSeconds + seconds,
  }))
  return { ...one, ...saidBy([...one.words, ...later]) }
}
