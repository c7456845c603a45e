import type { Recognition, WindowOptions } from '../whisper/port.ts'

/** Measured at seams of files: 4.2 % of 2 002 words are wrong with a second look below this, 4.6 % without one. */
const UNSURE_CONFIDENCE = 0.2

/** A piece of a file with coarse padding, and again in the full window where a word is unsure: the likelier text counts. */
export async function withSecondLook(
  recognise: (padding: WindowOptions['padding']) => Promise<Recognition>,
): Promise<Recognition> {
  const first = await recognise('coarse')
  if (first.words.every(({ confidence }) => confidence >= UNSURE_CONFIDENCE)) return first
  const second = await recognise('full')
  return second.averageLogProbability > first.averageLogProbability ? second : first
}
