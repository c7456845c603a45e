import { test } from 'vitest'
import { createVirtualClock } from '../core/clock.ts'
import { createNodeTurn, createZones } from './zones.ts'

test('connections go to the nodes in turn, to a lost one for as long as clients remember its address', async ({
  expect,
}) => {
  const clock = createVirtualClock(0)
  const zones = createZones(['a', 'b', 'c'], clock)
  const takeNode = createNodeTurn(zones)
  const take = (count: number): number[] => Array.from({ length: count }, takeNode)

  expect(take(4)).toEqual([0, 1, 2, 0])
  zones.lose('b')
  await clock.advance(59_999)
  expect(take(3)).toEqual([1, 2, 0])
  await clock.advance(1)
  expect(take(3)).toEqual([2, 0, 2])
  zones.restore('b')
  expect(take(3)).toEqual([0, 1, 2])
})

test('when every node is lost DNS goes on to name them all', async ({ expect }) => {
  const clock = createVirtualClock(0)
  const zones = createZones(['a', 'b'], clock)
  zones.lose('a')
  zones.lose('b')
  await clock.advance(60_000)

  expect([0, 1].map((node) => zones.isInDns(node))).toEqual([true, true])
  expect(['a', 'b', 'c'].map((zone) => zones.isLost(zone))).toEqual([true, true, false])
  expect(() => zones.lose('c')).toThrow('The balancer has no node in c, but in a, b.')
})

test('a zone without a healthy target leaves DNS when its time to live is over, and is back at once', async ({
  expect,
}) => {
  const clock = createVirtualClock(0)
  const zones = createZones(['a', 'b'], clock)
  const inDns = (): boolean[] => [0, 1].map((node) => zones.isInDns(node))

  zones.setIll('b', 'web', true)
  await clock.advance(30_000)
  zones.setIll('b', 'web', true)
  zones.setIll('b', 'api', true)
  expect(inDns()).toEqual([true, true])
  await clock.advance(30_000)
  expect(inDns()).toEqual([true, false])
  zones.setIll('b', 'web', false)
  expect(inDns()).toEqual([true, true])
  await clock.advance(30_000)
  expect(inDns()).toEqual([true, false])
  zones.setIll('a', 'web', true)
  await clock.advance(60_000)
  expect(inDns()).toEqual([true, true])
})
