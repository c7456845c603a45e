import type { Lockstep } from './lockstep.ts'

/** How soon speech is final after its end, for each endpoint of a run. */
export interface Promptness {
  /** From the end of the last voiced frame to speech_final: audio time, and what computing adds on a free core. */
  readonly afterSpeechSeconds: readonly number[]
  /** What is left to compute when the endpoint comes. */
  readonly afterEndpointSeconds: readonly number[]
}

/** A final reaches this far beyond the voice (`POST_ROLL_SAMPLES` of the policy). */
const POST_ROLL_SECONDS = 0.2

export function promptnessOf({ results, windows }: Lockstep): Promptness {
  const endpoints = results.filter(({ result }) => result.speechFinal)
  const each = endpoints.map(({ atSeconds, result }) => {
    const careful = windows.filter(
      (window) => window.purpose === 'final' && window.atSeconds > result.startSeconds && window.atSeconds <= atSeconds,
    )
    // Earlier ones were begun in pauses that were too short.
    const begunSeconds = Math.max(...careful.map((window) => window.atSeconds))
    const computeMs = careful
      .filter((window) => window.atSeconds === begunSeconds)
      .reduce((sum, { cpuMs }) => sum + cpuMs, 0)
    const voiceEndSeconds = result.startSeconds + result.durationSeconds - POST_ROLL_SECONDS
    const afterEndpoint = Math.max(0, begunSeconds + computeMs / 1000 - atSeconds)
    return { afterSpeech: atSeconds + afterEndpoint - voiceEndSeconds, afterEndpoint }
  })
  return {
    afterSpeechSeconds: each.map(({ afterSpeech }) => afterSpeech),
    afterEndpointSeconds: each.map(({ afterEndpoint }) => afterEndpoint),
  }
}
