/** Statuses of the public API (aldea-api §7.1); 404, 414 and 426 are HTTP's own. */
export type ApiStatus = 400 | 401 | 403 | 404 | 409 | 413 | 414 | 415 | 422 | 426 | 429 | 500 | 503

/** A refusal as the public API words it. Its message is shown to the client. */
export class ApiError extends Error {
  readonly status: ApiStatus
  readonly retryAfterSeconds: number | undefined

  constructor(status: ApiStatus, message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'ApiError'
    this.status = status
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Something the service needs does not answer. Clients that honour Retry-After come back. */
export function unavailable(message: string, cause?: unknown): ApiError {
  return new ApiError(503, message, { retryAfterSeconds: 1, cause })
}
