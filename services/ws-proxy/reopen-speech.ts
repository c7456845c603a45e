import { ApiError } from '../wire/api-error.ts'
import type { Clock } from '../wire/clock.ts'
import type { SpeechSocket } from './speech-socket.ts'

/** A server that crashed is back in a few seconds; a minute of audio is held for it. */
const PATIENCE_MS = 10_000
const RETRY_MS = 250

export interface Retrying {
  readonly clock: Clock
  /** Nobody waits any longer. */
  readonly signal: AbortSignal
}

/**
 * Opens a stream again at a server that answers, though all of them may be starting at the moment.
 * @throws ApiError: the servers' refusal of the request, or 503 when none has come back in time; the signal's reason.
 */
export async function reopenSpeech(
  open: () => Promise<SpeechSocket>,
  { clock, signal }: Retrying,
): Promise<SpeechSocket> {
  const deadline = clock.now() + PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status < 500
      if (isRefused || clock.now() >= deadline) throw error
    }
    await clock.sleep(RETRY_MS, signal)
  }
}
