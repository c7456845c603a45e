import { QueueError } from './errors.ts'
import { MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES, MAX_VISIBILITY_SECONDS, MAX_WAIT_SECONDS } from './limits.ts'

/** Attributes of a queue by AWS's names. */
export type QueueAttributes = Readonly<Record<string, string>>

/** What its attributes mean to the queue. */
export interface QueueSettings {
  readonly delayMs: number
  readonly visibilityMs: number
  readonly retentionMs: number
  readonly waitMs: number
  readonly maxBytes: number
  readonly redrive: { readonly targetArn: string; readonly maxReceiveCount: number } | undefined
  readonly redriveAllow: RedriveAllow
  readonly deduplicatesByContent: boolean
  readonly deduplicatesByGroup: boolean
}

export interface RedriveAllow {
  readonly permission: 'allowAll' | 'denyAll' | 'byQueue'
  readonly sourceArns: readonly string[]
}

const DEFAULTS: QueueAttributes = {
  DelaySeconds: '0',
  MaximumMessageSize: String(MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
  SqsManagedSseEnabled: 'true',
}

const FIFO_DEFAULTS: QueueAttributes = {
  FifoQueue: 'true',
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoThroughputLimit: 'perQueue',
}

type Check = (value: string) => boolean

const SETTABLE: Readonly<Record<string, Check>> = {
  DelaySeconds: between(0, MAX_DELAY_SECONDS),
  MaximumMessageSize: between(1024, MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: between(60, 1_209_600),
  ReceiveMessageWaitTimeSeconds: between(0, MAX_WAIT_SECONDS),
  VisibilityTimeout: between(0, MAX_VISIBILITY_SECONDS),
  Policy: isJsonOrEmpty,
  RedrivePolicy: isJsonOrEmpty,
  RedriveAllowPolicy: isJsonOrEmpty,
  KmsMasterKeyId: () => true,
  KmsDataKeyReusePeriodSeconds: between(60, 86_400),
  SqsManagedSseEnabled: isBoolean,
}

const FIFO_SETTABLE: Readonly<Record<string, Check>> = {
  FifoQueue: (value) => value === 'true',
  ContentBasedDeduplication: isBoolean,
  DeduplicationScope: (value) => value === 'queue' || value === 'messageGroup',
  FifoThroughputLimit: (value) => value === 'perQueue' || value === 'perMessageGroupId',
}

/** Attributes that were given, over those there are; an empty one goes back to its default. @throws QueueError */
export function mergeAttributes(current: QueueAttributes, given: QueueAttributes, isFifo: boolean): QueueAttributes {
  const merged = { ...current }
  for (const [name, value] of Object.entries(given)) {
    const check = SETTABLE[name] ?? (isFifo ? FIFO_SETTABLE[name] : undefined)
    if (!check) throw new QueueError('InvalidAttributeName', `Unknown Attribute ${name}.`)
    if (!check(value)) throw invalidValue(name)
    if (value === '') delete merged[name]
    else merged[name] = value
  }
  if (merged['FifoThroughputLimit'] === 'perMessageGroupId' && merged['DeduplicationScope'] !== 'messageGroup') {
    throw invalidValue('FifoThroughputLimit')
  }
  return merged
}

export function withDefaults(attributes: QueueAttributes, isFifo: boolean): QueueAttributes {
  return { ...DEFAULTS, ...(isFifo ? FIFO_DEFAULTS : {}), ...attributes }
}

/** @throws QueueError when a policy inside has the wrong form. */
export function readSettings(attributes: QueueAttributes, isFifo: boolean): QueueSettings {
  const full = withDefaults(attributes, isFifo)
  const ms = (name: string): number => Number(full[name]) * 1000
  return {
    delayMs: ms('DelaySeconds'),
    visibilityMs: ms('VisibilityTimeout'),
    retentionMs: ms('MessageRetentionPeriod'),
    waitMs: ms('ReceiveMessageWaitTimeSeconds'),
    maxBytes: Number(full['MaximumMessageSize']),
    redrive: readRedrive(attributes['RedrivePolicy']),
    redriveAllow: readRedriveAllow(attributes['RedriveAllowPolicy']),
    deduplicatesByContent: full['ContentBasedDeduplication'] === 'true',
    deduplicatesByGroup: full['DeduplicationScope'] === 'messageGroup',
  }
}

function readRedrive(text: string | undefined): QueueSettings['redrive'] {
  if (!text) return undefined
  const policy = JSON.parse(text) as Record<string, unknown>
  const { deadLetterTargetArn: targetArn } = policy
  const maxReceiveCount = Number(policy['maxReceiveCount'])
  const isGood = Number.isInteger(maxReceiveCount) && maxReceiveCount >= 1 && maxReceiveCount <= 1000
  if (typeof targetArn !== 'string' || !isGood) throw invalidValue('RedrivePolicy')
  return { targetArn, maxReceiveCount }
}

function readRedriveAllow(text: string | undefined): RedriveAllow {
  if (!text) return { permission: 'allowAll', sourceArns: [] }
  const { redrivePermission: permission, sourceQueueArns = [] } = JSON.parse(text) as Record<string, unknown>
  const isKnown = permission === 'allowAll' || permission === 'denyAll' || permission === 'byQueue'
  const isList = Array.isArray(sourceQueueArns) && sourceQueueArns.every((arn) => typeof arn === 'string')
  if (!isKnown || !isList || sourceQueueArns.length > MAX_SOURCES) throw invalidValue('RedriveAllowPolicy')
  if ((permission === 'byQueue') !== sourceQueueArns.length > 0) throw invalidValue('RedriveAllowPolicy')
  return { permission, sourceArns: sourceQueueArns }
}

/** Queues that `byQueue` may list. */
const MAX_SOURCES = 10

function invalidValue(name: string): QueueError {
  return new QueueError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`)
}

function between(low: number, high: number): Check {
  return (value) => /^\d{1,9}$/.test(value) && Number(value) >= low && Number(value) <= high
}

function isBoolean(value: string): boolean {
  return value === 'true' || value === 'false'
}

function isJsonOrEmpty(value: string): boolean {
  if (value === '') return true
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}
