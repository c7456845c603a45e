import { bytesPerFrame } from '../audio/format.ts'
import type { OpenedFile } from '../audio/file.ts'
import type { Ears, Heard } from '../vad/ears.ts'

/** A whole recording as the engines hear it. */
export type Recording = Heard

/** Decodes, resamples and judges a file, a second at a time, so that live streams are heard in between. */
export async function listenTo(file: OpenedFile, ears: Ears, signal: AbortSignal | undefined): Promise<Recording> {
  const { format, pcm } = file
  const step = bytesPerFrame(format) * format.sampleRateHz
  const ear = ears.open(format)
  const parts: Heard[] = []
  try {
    for (let offset = 0; offset < pcm.length; offset += step) {
      signal?.throwIfAborted()
      parts.push(await ear.push(pcm.subarray(offset, offset + step)))
    }
    parts.push(await ear.finish())
  } finally {
    ear.close()
  }
  return {
    samples: joined(parts.map(({ samples }) => samples)),
    probabilities: joined(parts.map(({ probabilities }) => probabilities)),
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
