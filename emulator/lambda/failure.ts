import { SYNC_PAYLOAD_BYTES } from './limits.ts'

/** Why a function failed, as its caller reads it in the payload. */
export interface Failure {
  readonly errorType: string
  readonly errorMessage: string
  /** Lines of the stack, where something was thrown. */
  readonly trace?: readonly string[]
}

/** What the Node runtime makes of anything thrown. */
export function thrown(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
}

export function timedOut(requestId: string, timeoutSeconds: number): Failure {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: ${afterSeconds(timeoutSeconds)}`,
  }
}

export function afterSeconds(timeoutSeconds: number): string {
  return `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`
}

export function killed(requestId: string): Failure {
  const errorMessage = `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`
  return { errorType: 'Runtime.ExitError', errorMessage }
}

export function notMarshalled(): Failure {
  return { errorType: 'Runtime.MarshalError', errorMessage: 'Unable to stringify response body', trace: [] }
}

export function tooLarge(bytes: number): Failure {
  const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${SYNC_PAYLOAD_BYTES} bytes).`
  return { errorType: 'Function.ResponseSizeTooLarge', errorMessage }
}
