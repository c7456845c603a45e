import type { Failure } from '../failure.ts'
import { ResponseTooLargeError } from './response-reader.ts'
import type { TargetConnection } from './target-connections.ts'

/** A target that does not take the connection by then is gone silently (aws-behaviour §1.12). */
export const CONNECT_TIMEOUT_MS = 10_000

/** Why an answer could not be read. */
export function toReadFailure(error: unknown): Failure {
  return error instanceof ResponseTooLargeError ? 'response-too-large' : 'malformed-response'
}

/** The answer to a request whose connection has closed without one: refused and broken ones alike are a 502. */
export function toCloseFailure(
  error: NodeJS.ErrnoException | undefined,
  { isConnected }: TargetConnection,
): [status: 502 | 504, cause: Failure] {
  if (isConnected) return [502, 'target-closed']
  return error?.code === 'ETIMEDOUT' ? [504, 'connect-timeout'] : [502, 'target-refused']
}
