/** Names of an error: the shape of the JSON protocol, and the code of the query protocol. The prefix is not universal. */
interface Names {
  readonly shape: string
  readonly code: string
}

const PREFIX = 'AWS.SimpleQueueService.'
const SQS = 'com.amazonaws.sqs#'
/** Errors that the API's model does not list come from the framework under the service. */
const FRAMEWORK = 'com.amazon.coral.service#'

const catalogue = {
  QueueDoesNotExist: prefixed('QueueDoesNotExist', 'NonExistentQueue'),
  QueueDeletedRecently: prefixed('QueueDeletedRecently'),
  PurgeQueueInProgress: prefixed('PurgeQueueInProgress'),
  EmptyBatchRequest: prefixed('EmptyBatchRequest'),
  TooManyEntriesInBatchRequest: prefixed('TooManyEntriesInBatchRequest'),
  BatchEntryIdsNotDistinct: prefixed('BatchEntryIdsNotDistinct'),
  BatchRequestTooLong: prefixed('BatchRequestTooLong'),
  InvalidBatchEntryId: prefixed('InvalidBatchEntryId'),
  MessageNotInflight: prefixed('MessageNotInflight'),
  UnsupportedOperation: prefixed('UnsupportedOperation'),
  QueueNameExists: { shape: `${SQS}QueueNameExists`, code: 'QueueAlreadyExists' },
  ReceiptHandleIsInvalid: plain('ReceiptHandleIsInvalid'),
  InvalidAttributeName: plain('InvalidAttributeName'),
  InvalidAttributeValue: plain('InvalidAttributeValue'),
  InvalidMessageContents: plain('InvalidMessageContents'),
  OverLimit: plain('OverLimit'),
  ResourceNotFoundException: plain('ResourceNotFoundException'),
  InvalidParameterValue: { shape: `${FRAMEWORK}InvalidParameterValueException`, code: 'InvalidParameterValue' },
  MissingParameter: { shape: `${FRAMEWORK}MissingRequiredParameterException`, code: 'MissingParameter' },
  InvalidAction: { shape: `${FRAMEWORK}UnknownOperationException`, code: 'InvalidAction' },
  MalformedInput: { shape: `${FRAMEWORK}SerializationException`, code: 'MalformedInput' },
  InternalFailure: { shape: `${FRAMEWORK}InternalFailure`, code: 'InternalFailure' },
} as const satisfies Record<string, Names>

export type QueueErrorName = keyof typeof catalogue

/** What a request was refused with. */
export class QueueError extends Error {
  readonly shape: string
  readonly code: string
  /** 400: the sender's fault; 500: ours. */
  readonly status: 400 | 500

  constructor(name: QueueErrorName, message: string) {
    super(message)
    this.name = name
    this.shape = catalogue[name].shape
    this.code = catalogue[name].code
    this.status = name === 'InternalFailure' ? 500 : 400
  }
}

/** The error of whatever was thrown. */
export function toQueueError(thrown: unknown): QueueError {
  if (thrown instanceof QueueError) return thrown
  return new QueueError('InternalFailure', 'An internal error occurred.')
}

export function queueDoesNotExist(): QueueError {
  return new QueueError('QueueDoesNotExist', 'The specified queue does not exist.')
}

export function missing(parameter: string): QueueError {
  return new QueueError('MissingParameter', `The request must contain the parameter ${parameter}.`)
}

export function invalid(parameter: string, value: unknown, reason: string): QueueError {
  return new QueueError(
    'InvalidParameterValue',
    `Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`,
  )
}

function prefixed(shape: string, code = shape): Names {
  return { shape: SQS + shape, code: PREFIX + code }
}

function plain(name: string): Names {
  return { shape: SQS + name, code: name }
}
