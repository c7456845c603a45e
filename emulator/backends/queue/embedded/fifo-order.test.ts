import * as fc from 'fast-check'
import { test } from 'vitest'
import { createVirtualClock } from '../../../core/clock.ts'
import { systemIds } from '../../../../services/wire/ids.ts'
import { deleteByHandle } from './handle.ts'
import { makeQueue } from './queues.ts'
import { type Delivery, receive } from './receive.ts'
import { send } from './send.ts'
import { openStore } from './store.ts'
import { temporary } from './testing.ts'
import { join } from 'node:path'

type Step =
  | { readonly do: 'send'; readonly group: string }
  | { readonly do: 'receive'; readonly max: number }
  | { readonly do: 'delete'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('send' as const), group: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ do: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ do: fc.constant('delete' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
)

test('whatever is sent, received, deleted and left: each group is in order, one at a time, and nothing is lost', async ({
  expect,
  onTestFinished,
}) => {
  const folder = await temporary(onTestFinished)
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = createVirtualClock(0)
      const journalPath = join(folder, `${(run += 1)}.jsonl`)
      const store = openStore({ clock, ids: systemIds, region: 'us-east-1', journalPath })
      const queue = makeQueue(store, 'q.fifo', { FifoQueue: 'true', VisibilityTimeout: '30' }, {})
      /** Bodies of each group that are still to be handled, in order. */
      const model = new Map<string, string[]>()
      let held: { delivery: Delivery; untilMs: number }[] = []
      let sent = 0

      const take = async (max: number): Promise<void> => {
        const now = clock.now()
        held = held.filter(({ untilMs }) => untilMs > now)
        const locked = new Set(held.map(({ delivery }) => delivery.message.groupId))
        const found = await receive(store, queue, {
          max,
          visibilityMs: undefined,
          waitMs: 0,
          signal: new AbortController().signal,
        })
        const perGroup = new Map<string, string[]>()
        for (const { message } of found) {
          const group = message.groupId ?? ''
          expect(locked.has(group)).toBe(false)
          perGroup.set(group, [...(perGroup.get(group) ?? []), message.body])
        }
        // Each group gives its oldest ones, without a gap.
        for (const [group, got] of perGroup) expect(model.get(group)?.slice(0, got.length)).toEqual(got)
        const open = [...model].filter(([group]) => !locked.has(group)).flatMap(([, left]) => left)
        expect(found.length).toBe(Math.min(max, open.length))
        held.push(...found.map((delivery) => ({ delivery, untilMs: now + 30_000 })))
      }

      for (const each of steps) {
        if (each.do === 'wait') await clock.advance(each.ms)
        if (each.do === 'receive') await take(each.max)
        if (each.do === 'send') {
          const body = String((sent += 1))
          send(store, queue, { body, groupId: each.group, deduplicationId: body })
          model.set(each.group, [...(model.get(each.group) ?? []), body])
        }
        if (each.do === 'delete') {
          held = held.filter(({ untilMs }) => untilMs > clock.now())
          const [gone] = held.splice(each.which % Math.max(1, held.length), 1)
          if (!gone) continue
          const { message, receiptHandle } = gone.delivery
          deleteByHandle(store, queue, receiptHandle)
          const group = message.groupId ?? ''
          model.set(
            group,
            (model.get(group) ?? []).filter((body) => body !== message.body),
          )
        }
      }
      store.journal.close()
      // And all of it is there after a restart.
      const next = openStore({ clock, ids: systemIds, region: 'us-east-1', journalPath })
      const left = [...(next.queues.get('q.fifo')?.messages.values() ?? [])].map(({ body }) => body)
      expect(left.sort()).toEqual([...model.values()].flat().sort())
      next.journal.close()
    }),
    { numRuns: 60 },
  )
})
