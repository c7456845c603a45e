import type { SpeechFailure } from '../wire/speech.ts'

/** A refusal the client of a speech server sees. */
export class SpeechError extends Error implements SpeechFailure {
  readonly status: SpeechFailure['status']
  /** When to come back, where that is known. */
  readonly retryAfterSeconds: number | undefined

  constructor(status: SpeechFailure['status'], message: string, options: SpeechErrorOptions = {}) {
    super(message, options)
    this.name = 'SpeechError'
    this.status = status
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get error(): string {
    return this.message
  }
}

interface SpeechErrorOptions extends ErrorOptions {
  readonly retryAfterSeconds?: number
}
