import { type Action, type Output, queueOf } from '../action.ts'
import { QueueError, invalid } from '../errors.ts'
import { readInteger, readText, readTexts } from '../input.ts'
import { MAX_IN_FLIGHT, MAX_RECEIVED, MAX_VISIBILITY_SECONDS, MAX_WAIT_SECONDS } from '../limits.ts'
import { md5OfAttributes, md5OfText } from '../md5.ts'
import type { WireAttributes } from '../message.ts'
import { type Delivery, receive } from '../receive.ts'
import { SYSTEM_ATTRIBUTES, systemAttributes } from '../system-attributes.ts'

export const receiveMessage: Action = (call, input) => {
  const queue = queueOf(call, input)
  const wanted = readWanted([...readTexts(input, 'AttributeNames'), ...readTexts(input, 'MessageSystemAttributeNames')])
  const filters = readTexts(input, 'MessageAttributeNames')
  const max = readInteger(input, 'MaxNumberOfMessages') ?? 1
  if (max < 1 || max > MAX_RECEIVED) {
    throw invalid('MaxNumberOfMessages', max, `Must be between 1 and ${MAX_RECEIVED}, if provided.`)
  }
  const visibilitySeconds = readInteger(input, 'VisibilityTimeout')
  if (visibilitySeconds !== undefined && !(visibilitySeconds >= 0 && visibilitySeconds <= MAX_VISIBILITY_SECONDS)) {
    throw invalid('VisibilityTimeout', visibilitySeconds, `Must be between 0 and ${MAX_VISIBILITY_SECONDS}.`)
  }
  const waitSeconds = readInteger(input, 'WaitTimeSeconds') ?? queue.settings.waitMs / 1000
  if (waitSeconds < 0 || waitSeconds > MAX_WAIT_SECONDS) {
    throw invalid('WaitTimeSeconds', waitSeconds, `Must be >= 0 and <= ${MAX_WAIT_SECONDS}, if provided.`)
  }
  if (queue.inFlightCount >= MAX_IN_FLIGHT && waitSeconds === 0) {
    throw new QueueError('OverLimit', `Too many messages are in flight; the limit is ${MAX_IN_FLIGHT}.`)
  }
  const deliveries = receive(call.store, queue, {
    max,
    visibilityMs: visibilitySeconds === undefined ? undefined : visibilitySeconds * 1000,
    waitMs: waitSeconds * 1000,
    signal: call.signal(),
    attemptId: queue.isFifo ? readText(input, 'ReceiveRequestAttemptId') : undefined,
  })
  const toOutput = (found: readonly Delivery[]): Output =>
    found.length === 0 ? {} : { Messages: found.map((delivery) => messageOutput(delivery, wanted, filters)) }
  return Array.isArray(deliveries) ? toOutput(deliveries) : deliveries.then(toOutput)
}

function readWanted(names: readonly string[]): ReadonlySet<string> {
  const wanted = new Set<string>()
  for (const name of names) {
    if (name === 'All') for (const known of SYSTEM_ATTRIBUTES) wanted.add(known)
    else if (SYSTEM_ATTRIBUTES.includes(name)) wanted.add(name)
    else throw new QueueError('InvalidAttributeName', `Unknown Attribute ${name}.`)
  }
  return wanted
}

function messageOutput(delivery: Delivery, wanted: ReadonlySet<string>, filters: readonly string[]): Output {
  const { message, receiptHandle } = delivery
  const system =
    wanted.size === 0 ? [] : Object.entries(systemAttributes(delivery)).filter(([name]) => wanted.has(name))
  const attributes = filterAttributes(message.attributes, filters)
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5OfText(message.body),
    Body: message.body,
    ...(system.length > 0 ? { Attributes: Object.fromEntries(system) } : {}),
    ...(attributes ? { MD5OfMessageAttributes: md5OfAttributes(attributes), MessageAttributes: attributes } : {}),
  }
}

/** Those that a filter names: `All`, `.*`, a name, or `prefix.*`. */
function filterAttributes(
  attributes: WireAttributes | undefined,
  filters: readonly string[],
): WireAttributes | undefined {
  if (!attributes || filters.length === 0) return undefined
  const isWanted = (name: string): boolean =>
    filters.some(
      (filter) =>
        filter === 'All' || filter === name || (filter.endsWith('.*') && name.startsWith(filter.slice(0, -2))),
    )
  const found = Object.entries(attributes).filter(([name]) => isWanted(name))
  return found.length > 0 ? Object.fromEntries(found) : undefined
}
