const STATUSES = {
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  RequestTooLargeException: 413,
  TooManyRequestsException: 429,
  ServiceException: 500,
} as const

type ServiceErrorType = keyof typeof STATUSES

/** A refusal by the service, before any function ran. Functions that fail are not errors of the service. */
export class ServiceError extends Error {
  readonly type: ServiceErrorType

  constructor(type: ServiceErrorType, message: string) {
    super(message)
    this.name = type
    this.type = type
  }

  get status(): number {
    return STATUSES[this.type]
  }

  /** Capitals differ between the shapes of the API. */
  get body(): Readonly<Record<string, string>> {
    const { message } = this
    switch (this.type) {
      case 'ResourceNotFoundException':
      case 'UnknownOperationException':
        return { Type: 'User', Message: message }
      case 'ServiceException':
        return { Type: 'Service', Message: message }
      case 'TooManyRequestsException':
        return { Type: 'User', message, Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' }
      case 'InvalidParameterValueException':
      case 'InvalidRequestContentException':
      case 'RequestTooLargeException':
        return { Type: 'User', message }
    }
  }
}

export function isThrottled(error: unknown): boolean {
  return error instanceof ServiceError && error.type === 'TooManyRequestsException'
}
