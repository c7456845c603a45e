import { AddPermissionCommand, RemovePermissionCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { arnOf, attributesOf, type ContractItem, newQueue } from './world.ts'

const ACCOUNTS = ['111122223333', '444455556666']

export const permissions: readonly ContractItem[] = [
  {
    title: 'a permission is a statement of the policy, until it is removed',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newQueue(world)
      const arn = await arnOf(sqs, queue)
      await allow(sqs, queue, 'one', ACCOUNTS.slice(0, 1), ['SendMessage'])
      await allow(sqs, queue, 'two', ACCOUNTS, ['ReceiveMessage', 'DeleteMessage'])
      const roots = ACCOUNTS.map((account) => `arn:aws:iam::${account}:root`)
      const common = { Effect: 'Allow', Resource: arn }
      const one = { ...common, Sid: 'one', Principal: { AWS: roots[0] }, Action: 'SQS:SendMessage' }
      const two = {
        ...common,
        Sid: 'two',
        Principal: { AWS: roots },
        Action: ['SQS:ReceiveMessage', 'SQS:DeleteMessage'],
      }
      expect((await policyOf(sqs, queue))?.['Statement']).toEqual([one, two])
      await sqs.send(new RemovePermissionCommand({ QueueUrl: queue, Label: 'one' }))
      expect((await policyOf(sqs, queue))?.['Statement']).toEqual([two])
      await sqs.send(new RemovePermissionCommand({ QueueUrl: queue, Label: 'two' }))
      expect(await policyOf(sqs, queue)).toBeUndefined()
    },
  },
  {
    title: 'a permission leaves the rest of a policy as it is',
    async check(world) {
      const { sqs, expect } = world
      const own = { Sid: 'own', Effect: 'Deny', Principal: '*', Action: 'SQS:DeleteMessage', Resource: '*' }
      const policy = { Version: '2012-10-17', Id: 'mine', Statement: [own] }
      const queue = await newQueue(world, { Policy: JSON.stringify(policy) })
      await allow(sqs, queue, 'added', ACCOUNTS, ['*'])
      expect(await policyOf(sqs, queue)).toMatchObject({
        Id: 'mine',
        Statement: [own, { Sid: 'added', Action: 'SQS:*' }],
      })
      await sqs.send(new RemovePermissionCommand({ QueueUrl: queue, Label: 'added' }))
      expect(await policyOf(sqs, queue)).toEqual(policy)
    },
  },
]

async function allow(
  sqs: SQSClient,
  queue: string,
  label: string,
  accounts: string[],
  actions: string[],
): Promise<void> {
  const permission = { QueueUrl: queue, Label: label, AWSAccountIds: accounts, Actions: actions }
  await sqs.send(new AddPermissionCommand(permission))
}

async function policyOf(sqs: SQSClient, queue: string): Promise<Record<string, unknown> | undefined> {
  const { Policy: text } = await attributesOf(sqs, queue)
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>)
}
