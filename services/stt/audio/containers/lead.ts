import type { Decoded } from '../codecs/port.ts'

/** What an encoder put before the sound is dropped from what is decoded, part by part. */
export function dropLead(leadSeconds: number): (decoded: readonly Decoded[]) => Decoded[] {
  let left = leadSeconds
  return (decoded) =>
    decoded.map((part) => {
      const dropped = Math.min(part.samples.length, Math.round(left * part.sampleRateHz))
      left -= dropped / part.sampleRateHz
      return { ...part, samples: part.samples.subarray(dropped) }
    })
}
