import * as fc from 'fast-check'
import { test } from 'vitest'
import type { Priority } from '../port.ts'
import { createTurns, type Waiting } from './turns.ts'

interface Named extends Waiting {
  readonly name: string
}

let count = 0
function work(name: string, priority: Priority, askedMs: number, turn: Partial<Waiting> = {}): Named {
  count += 1
  return { name, id: count, priority, askedMs, ...turn }
}

function order(...works: readonly Named[]): string[] {
  const turns = createTurns<Named>()
  for (const each of works) turns.add(each)
  return works.map(() => turns.next()?.name ?? '')
}

test('finals go first, then interims, then files, equals as they came', ({ expect }) => {
  const works = [
    work('file 1', 'file', 0),
    work('interim 1', 'interim', 10),
    work('final 1', 'final', 20),
    work('file 2', 'file', 30),
    work('interim 2', 'interim', 40),
    work('final 2', 'final', 40),
  ]

  expect(order(...works)).toEqual(['final 1', 'final 2', 'interim 1', 'interim 2', 'file 1', 'file 2'])
})

test('of what is not accepted nothing is taken, however urgent', ({ expect }) => {
  const turns = createTurns<Named>()
  for (const each of [work('final', 'final', 0), work('file', 'file', 0)]) turns.add(each)

  expect(turns.next(({ priority }) => priority === 'file')?.name).toBe('file')
  expect(turns.next(({ priority }) => priority === 'file')).toBeUndefined()
  expect(turns.next()?.name).toBe('final')
})

test('a final that is begun early has the place of an interim until somebody waits for it', ({ expect }) => {
  let isDue = false
  const works = [work('interim', 'interim', 0), work('early', 'final', 100, { isDue: () => isDue })]

  expect(order(...works)).toEqual(['interim', 'early'])
  isDue = true
  expect(order(...works)).toEqual(['early', 'interim'])
})

test('what has waited long enough goes before anything newer', ({ expect }) => {
  expect(order(work('interim', 'interim', 2000), work('file', 'file', 0))).toEqual(['file', 'interim'])
  expect(order(work('final', 'final', 5000), work('interim', 'interim', 0))).toEqual(['interim', 'final'])
})

test('whoever has had much gives way to others, files together, and comes round again', ({ expect }) => {
  const turns = createTurns<Named>()
  const [greedy, modest] = [{}, {}]
  turns.charge(work('', 'final', 0, { source: greedy }), { computeMs: 1, windowSeconds: 16, nowMs: 0 })
  turns.charge(work('', 'file', 0), { computeMs: 10_000, windowSeconds: 28, nowMs: 0 })

  turns.add(work('file', 'file', 0))
  turns.add(work('greedy', 'final', 0, { source: greedy }))
  turns.add(work('modest', 'final', 1000, { source: modest }))
  turns.add(work('interim of the greedy', 'interim', 1000, { source: greedy }))
  turns.add(work('interim', 'interim', 5900))
  turns.add(work('late interim', 'interim', 6100))

  const names = Array.from({ length: turns.size }, () => turns.next()?.name)
  expect(names).toEqual(['modest', 'greedy', 'interim of the greedy', 'interim', 'file', 'late interim'])
})

test('speech in real time owes nothing, however slow the workers are', ({ expect }) => {
  const turns = createTurns<Named>()
  const source = {}
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1500)
    turns.charge(work('', 'final', 0, { source }), { computeMs: 1500, windowSeconds: 8, nowMs })

  turns.add(work('other', 'final', 60_001))
  turns.add(work('speech', 'final', 60_000, { source }))

  expect(turns.next()?.name).toBe('speech')
})

test('all work gets its turn once, and none twice', ({ expect }) => {
  const priority = fc.constantFrom<Priority>('final', 'interim', 'file')
  const asked = fc.record({ priority, askedMs: fc.nat(20_000), source: fc.nat(2), costMs: fc.nat(1000) })
  const sources = [{}, {}, {}]
  fc.assert(
    fc.property(fc.array(asked), fc.integer({ min: 1, max: 5 }), (all, atOnce) => {
      const turns = createTurns<Named>()
      const got: string[] = []
      const take = (nowMs: number): void => {
        const next = turns.next()
        if (!next) return
        got.push(next.name)
        turns.charge(next, { computeMs: nowMs % 997, windowSeconds: nowMs % 29, nowMs })
      }
      for (const [index, { priority: each, askedMs, source }] of all.entries()) {
        turns.add(work(String(index), each, askedMs, { source: sources[source] ?? {} }))
        if (index % atOnce === 0) take(askedMs)
      }
      while (turns.size > 0) take(20_000)

      expect(got.toSorted()).toEqual(all.map((_, index) => String(index)).toSorted())
    }),
  )
})
