import type { SpeechFailure } from '../wire/speech.ts'

/** A refusal the client of a speech server sees. */
export class SpeechError extends Error implements SpeechFailure {
  readonly status: SpeechFailure['status']

  constructor(status: SpeechFailure['status'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SpeechError'
    this.status = status
  }

  get error(): string {
    return this.message
  }
}
