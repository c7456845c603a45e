import { LIVE_WINDOWS } from '../../services/stt/engines/whisper.ts'
import type { StreamOptions } from '../../services/stt/engines/port.ts'
import { SAMPLE_RATE_HZ } from '../../services/stt/audio/format.ts'
import { LIVE_OPTIONS, toPcm } from '../../services/stt/live/testing.ts'
import { createPolicy } from '../../services/stt/live/policy.ts'
import type { Purpose, Transcribe } from '../../services/stt/live/transcriber.ts'
import { FRAME_SAMPLES, type Ears } from '../../services/stt/vad/ears.ts'
import type { Recogniser } from '../../services/stt/whisper/port.ts'
import type { SpeechResult } from '../../services/wire/speech.ts'

/** A live stream whose every answer comes before its next frame: what the policy can do on a machine without limits. */
export interface Lockstep {
  readonly results: readonly TimedResult[]
  readonly windows: readonly WindowCost[]
  readonly audioSeconds: number
}

export interface TimedResult {
  /** Audio that had been heard when it came. */
  readonly atSeconds: number
  readonly result: SpeechResult
}

export interface WindowCost {
  readonly purpose: Purpose
  /** Audio that had been heard when it was asked for. */
  readonly atSeconds: number
  readonly audioSeconds: number
  /** CPU time of the whole process, all threads. */
  readonly cpuMs: number
}

/** Hears windows as live streams do, each at once. */
export function hearingWith(recogniser: Recogniser): Transcribe {
  return ({ purpose, samples, known, draft, rival, signal }) =>
    recogniser.recognise(samples, {
      ...LIVE_WINDOWS[purpose],
      language: 'en',
      signal,
      ...(known && { known }),
      ...(draft && { draft }),
      ...(rival && { rival }),
    })
}

export interface LockstepOptions extends Partial<StreamOptions> {
  /** A Finalize each time so much audio was heard, in mid-word or not. */
  readonly finalizeSeconds?: number
}

export async function runInLockstep(
  samples: Float32Array,
  ears: Ears,
  recognise: Transcribe,
  { finalizeSeconds = Number.POSITIVE_INFINITY, ...options }: LockstepOptions = {},
): Promise<Lockstep> {
  const results: TimedResult[] = []
  const windows: WindowCost[] = []
  let heardSamples = 0
  let nextFinalizeSeconds = finalizeSeconds
  const policy = createPolicy(
    { ...LIVE_OPTIONS, ...options },
    {
      async transcribe(window) {
        const atSeconds = heardSamples / SAMPLE_RATE_HZ
        const before = process.cpuUsage()
        let sampleCount = 0
        const recognition = await recognise({
          ...window,
          samples() {
            const taken = window.samples()
            sampleCount = taken.length
            return taken
          },
        })
        const { user, system } = process.cpuUsage(before)
        windows.push({
          purpose: window.purpose,
          atSeconds,
          audioSeconds: sampleCount / SAMPLE_RATE_HZ,
          cpuMs: (user + system) / 1000,
        })
        return recognition
      },
      send(message) {
        if (message.type === 'Result') results.push({ atSeconds: heardSamples / SAMPLE_RATE_HZ, result: message })
      },
      fail(error) {
        throw error
      },
    },
  )
  const pcm = toPcm(samples)
  const ear = ears.open({ encoding: 's16', sampleRateHz: SAMPLE_RATE_HZ, channels: 1 }, 600)
  for (let offset = 0; offset < pcm.length; offset += 2 * FRAME_SAMPLES) {
    const heard = await ear.push(pcm.subarray(offset, offset + 2 * FRAME_SAMPLES))
    heardSamples += heard.samples.length
    await policy.hear(heard)
    await policy.said()
    if (heardSamples < nextFinalizeSeconds * SAMPLE_RATE_HZ) continue
    nextFinalizeSeconds += finalizeSeconds
    policy.finalize()
    await policy.said()
  }
  await policy.hear(await ear.finish())
  policy.close()
  await policy.said()
  ear.close()
  return { results, windows, audioSeconds: samples.length / SAMPLE_RATE_HZ }
}
