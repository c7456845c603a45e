import { afterAll, beforeAll, describe, test } from 'vitest'
import { deadLetters } from './contract/dead-letters.ts'
import { fifo } from './contract/fifo.ts'
import { messages } from './contract/messages.ts'
import { moveTasks } from './contract/move-tasks.ts'
import { permissions } from './contract/permissions.ts'
import { protocols } from './contract/protocols.ts'
import { queues } from './contract/queues.ts'
import { refusals } from './contract/refusals.ts'
import { batches } from './contract/batches.ts'
import { waiting } from './contract/waiting.ts'
import { type ContractItem, connectSqs, type World } from './contract/world.ts'

export interface QueueContractOptions {
  readonly name: string
  start(): Promise<QueueServer>
  /** Titles of the items that it is known to do otherwise; docs/fidelity.md explains each. */
  readonly differences: readonly string[]
}

/** Something that answers SQS requests. */
export interface QueueServer {
  /** Without a slash at the end. */
  readonly endpoint: string
  stop(): Promise<void>
}

const ITEMS: readonly ContractItem[] = [
  ...queues,
  ...messages,
  ...batches,
  ...waiting,
  ...fifo,
  ...deadLetters,
  ...moveTasks,
  ...permissions,
  ...protocols,
  ...refusals,
]

/**
 * What users of queues may rely on, whoever supplies them: one test an item. An item that is listed as a difference must
 * fail, so that the list can neither grow nor rot unseen.
 */
export function queueContract({ name, start, differences }: QueueContractOptions): void {
  describe(`queue contract: ${name}`, () => {
    let server: QueueServer
    let queueCount = 0
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.stop())

    for (const { title, check } of ITEMS) {
      const differs = differences.includes(title)
      const note = differs ? ' (known difference)' : ''
      test.concurrent(`${title}${note}`, { fails: differs }, async ({ expect, onTestFinished }) => {
        expect.hasAssertions()
        const { endpoint } = server
        const sqs = connectSqs(endpoint)
        onTestFinished(() => sqs.destroy())
        const world: World = { endpoint, sqs, expect, onTestFinished, newName: () => `contract-${(queueCount += 1)}` }
        await check(world)
      })
    }

    test('every known difference names an item', ({ expect }) => {
      const titles = new Set(ITEMS.map(({ title }) => title))
      expect(titles.size).toBe(ITEMS.length)
      expect(differences.filter((each) => !titles.has(each))).toEqual([])
    })
  })
}
