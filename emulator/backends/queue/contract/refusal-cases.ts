import { AddPermissionCommand, DeleteQueueCommand, PurgeQueueCommand } from '@aws-sdk/client-sqs'
import { receiveOne, send } from './exchange.ts'
import type { Parameters } from './raw.ts'
import { arnOf, createQueue, newFifoQueue, newQueue, type World } from './world.ts'

/** A request that is refused with the same code in both protocols. */
export interface Refusal {
  readonly what: string
  /** As the query protocol names it, and the JSON protocol in `x-amzn-query-error`. */
  readonly code: string
  /** The end of `__type` in the JSON protocol, where the API model has a shape for it. */
  readonly shape?: string
  /** Prepares what the request needs. It is asked for once for each protocol. */
  request(world: World): Promise<readonly [action: string, parameters: Parameters]>
}

const PREFIX = 'AWS.SimpleQueueService.'
const MEGABYTE = 1_048_576

export const REFUSALS: readonly Refusal[] = [
  {
    what: 'a queue that does not exist',
    code: `${PREFIX}NonExistentQueue`,
    shape: 'QueueDoesNotExist',
    async request(world) {
      const QueueUrl = `${world.endpoint}/000000000000/${world.newName()}`
      return ['SendMessage', { QueueUrl, MessageBody: 'x' }]
    },
  },
  {
    what: 'a name that no queue has',
    code: `${PREFIX}NonExistentQueue`,
    shape: 'QueueDoesNotExist',
    async request(world) {
      return ['GetQueueUrl', { QueueName: world.newName() }]
    },
  },
  {
    what: 'a queue that exists with other attributes',
    code: 'QueueAlreadyExists',
    shape: 'QueueNameExists',
    async request(world) {
      const QueueName = world.newName()
      await createQueue(world.sqs, QueueName, { VisibilityTimeout: '31' })
      return ['CreateQueue', { QueueName, Attributes: { VisibilityTimeout: '32' } }]
    },
  },
  {
    what: 'a queue that was deleted within the last 60 s',
    code: `${PREFIX}QueueDeletedRecently`,
    shape: 'QueueDeletedRecently',
    async request(world) {
      const QueueName = world.newName()
      await world.sqs.send(new DeleteQueueCommand({ QueueUrl: await createQueue(world.sqs, QueueName) }))
      return ['CreateQueue', { QueueName }]
    },
  },
  {
    what: 'a second purge within 60 s',
    code: `${PREFIX}PurgeQueueInProgress`,
    shape: 'PurgeQueueInProgress',
    async request(world) {
      const QueueUrl = await newQueue(world)
      await world.sqs.send(new PurgeQueueCommand({ QueueUrl }))
      return ['PurgeQueue', { QueueUrl }]
    },
  },
  {
    what: 'a name with other characters',
    code: 'InvalidParameterValue',
    async request() {
      return ['CreateQueue', { QueueName: 'no spaces!' }]
    },
  },
  {
    what: 'a name of 81 characters',
    code: 'InvalidParameterValue',
    async request() {
      return ['CreateQueue', { QueueName: 'x'.repeat(81) }]
    },
  },
  {
    what: 'a FIFO queue whose name does not end with .fifo',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['CreateQueue', { QueueName: world.newName(), Attributes: { FifoQueue: 'true' } }]
    },
  },
  {
    what: 'an attribute that queues do not have',
    code: 'InvalidAttributeName',
    shape: 'InvalidAttributeName',
    async request(world) {
      return ['CreateQueue', { QueueName: world.newName(), Attributes: { Colour: 'blue' } }]
    },
  },
  {
    what: 'a visibility timeout of a queue above twelve hours',
    code: 'InvalidAttributeValue',
    shape: 'InvalidAttributeValue',
    async request(world) {
      return ['SetQueueAttributes', { QueueUrl: await newQueue(world), Attributes: { VisibilityTimeout: '43201' } }]
    },
  },
  {
    what: 'no queue URL',
    code: 'MissingParameter',
    async request() {
      return ['SendMessage', { MessageBody: 'x' }]
    },
  },
  {
    what: 'an empty body',
    code: 'MissingParameter',
    async request(world) {
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: '' }]
    },
  },
  {
    what: 'a character that messages must not contain',
    code: 'InvalidMessageContents',
    shape: 'InvalidMessageContents',
    async request(world) {
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: 'a\u0001b' }]
    },
  },
  {
    what: 'a body above one MiB',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: 'x'.repeat(MEGABYTE + 1) }]
    },
  },
  {
    what: 'a delay above 15 minutes',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: 'x', DelaySeconds: 901 }]
    },
  },
  {
    what: 'more than ten attributes of a message',
    code: 'InvalidParameterValue',
    async request(world) {
      const names = Array.from({ length: 11 }, (_, index) => `a${index}`)
      const value = { DataType: 'String', StringValue: 'x' }
      const MessageAttributes = Object.fromEntries(names.map((name) => [name, value]))
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: 'x', MessageAttributes }]
    },
  },
  {
    what: 'an attribute of a message with an unknown type',
    code: 'InvalidParameterValue',
    async request(world) {
      const MessageAttributes = { a: { DataType: 'Colour', StringValue: 'x' } }
      return ['SendMessage', { QueueUrl: await newQueue(world), MessageBody: 'x', MessageAttributes }]
    },
  },
  {
    what: 'a FIFO message without a group',
    code: 'MissingParameter',
    async request(world) {
      const QueueUrl = await newFifoQueue(world, { ContentBasedDeduplication: 'true' })
      return ['SendMessage', { QueueUrl, MessageBody: 'x' }]
    },
  },
  {
    what: 'a FIFO message without a deduplication id',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['SendMessage', { QueueUrl: await newFifoQueue(world), MessageBody: 'x', MessageGroupId: 'g' }]
    },
  },
  {
    what: 'a delay for one FIFO message',
    code: 'InvalidParameterValue',
    async request(world) {
      const QueueUrl = await newFifoQueue(world, { ContentBasedDeduplication: 'true' })
      return ['SendMessage', { QueueUrl, MessageBody: 'x', MessageGroupId: 'g', DelaySeconds: 5 }]
    },
  },
  {
    what: 'eleven messages at once',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['ReceiveMessage', { QueueUrl: await newQueue(world), MaxNumberOfMessages: 11 }]
    },
  },
  {
    what: 'a wait of 21 s',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['ReceiveMessage', { QueueUrl: await newQueue(world), WaitTimeSeconds: 21 }]
    },
  },
  {
    what: 'a handle that is none',
    code: 'ReceiptHandleIsInvalid',
    shape: 'ReceiptHandleIsInvalid',
    async request(world) {
      return ['DeleteMessage', { QueueUrl: await newQueue(world), ReceiptHandle: 'no handle' }]
    },
  },
  {
    what: 'a new visibility timeout of a message that is visible',
    code: `${PREFIX}MessageNotInflight`,
    shape: 'MessageNotInflight',
    async request(world) {
      const QueueUrl = await newQueue(world)
      await send(world.sqs, QueueUrl, 'x')
      const { ReceiptHandle } = await receiveOne(world.sqs, QueueUrl, { VisibilityTimeout: 0 })
      return ['ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 5 }]
    },
  },
  {
    what: 'a visibility timeout of a message above twelve hours',
    code: 'InvalidParameterValue',
    async request(world) {
      const QueueUrl = await newQueue(world)
      await send(world.sqs, QueueUrl, 'x')
      const { ReceiptHandle } = await receiveOne(world.sqs, QueueUrl)
      return ['ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 43_201 }]
    },
  },
  {
    what: 'a batch without entries',
    code: `${PREFIX}EmptyBatchRequest`,
    shape: 'EmptyBatchRequest',
    async request(world) {
      return ['SendMessageBatch', { QueueUrl: await newQueue(world), Entries: [] }]
    },
  },
  {
    what: 'a batch of eleven',
    code: `${PREFIX}TooManyEntriesInBatchRequest`,
    shape: 'TooManyEntriesInBatchRequest',
    async request(world) {
      return batchOf(
        world,
        Array.from({ length: 11 }, (_, index) => `e${index}`),
      )
    },
  },
  {
    what: 'a batch that uses an id twice',
    code: `${PREFIX}BatchEntryIdsNotDistinct`,
    shape: 'BatchEntryIdsNotDistinct',
    async request(world) {
      return batchOf(world, ['same', 'same'])
    },
  },
  {
    what: 'a batch with an id of other characters',
    code: `${PREFIX}InvalidBatchEntryId`,
    shape: 'InvalidBatchEntryId',
    async request(world) {
      return batchOf(world, ['no spaces!'])
    },
  },
  {
    what: 'a batch above one MiB',
    code: `${PREFIX}BatchRequestTooLong`,
    shape: 'BatchRequestTooLong',
    async request(world) {
      return batchOf(world, ['one', 'two'], 'x'.repeat(MEGABYTE / 2 + 1))
    },
  },
  {
    what: 'a move task for a queue that no queue uses for dead letters',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['StartMessageMoveTask', { SourceArn: await arnOf(world.sqs, await newQueue(world)) }]
    },
  },
  {
    what: 'a permission with a label that is there already',
    code: 'InvalidParameterValue',
    async request(world) {
      const [action, permission] = await permissionFor(world, ['SendMessage'])
      await world.sqs.send(new AddPermissionCommand(permission))
      return [action, permission]
    },
  },
  {
    what: 'a permission for what only the owner may do',
    code: 'InvalidParameterValue',
    request: (world) => permissionFor(world, ['DeleteQueue']),
  },
  {
    what: 'a permission for more than seven actions',
    code: 'OverLimit',
    shape: 'OverLimit',
    request: (world) =>
      permissionFor(
        world,
        Array.from({ length: 8 }, () => 'SendMessage'),
      ),
  },
  {
    what: 'a permission for an account that is none',
    code: 'InvalidParameterValue',
    request: (world) => permissionFor(world, ['SendMessage'], 'nobody'),
  },
  {
    what: 'removing a permission that is not there',
    code: 'InvalidParameterValue',
    async request(world) {
      return ['RemovePermission', { QueueUrl: await newQueue(world), Label: 'nothing' }]
    },
  },
]

type Permission = { QueueUrl: string; Label: string; AWSAccountIds: string[]; Actions: string[] }

async function permissionFor(
  world: World,
  Actions: string[],
  account = '111122223333',
): Promise<['AddPermission', Permission]> {
  const QueueUrl = await newQueue(world)
  return ['AddPermission', { QueueUrl, Label: 'label', AWSAccountIds: [account], Actions }]
}

async function batchOf(world: World, ids: readonly string[], body = 'x'): Promise<[string, Parameters]> {
  const Entries = ids.map((Id) => ({ Id, MessageBody: body }))
  return ['SendMessageBatch', { QueueUrl: await newQueue(world), Entries }]
}
