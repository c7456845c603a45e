import type { InferenceSession } from 'onnxruntime-node'
import { test } from 'vitest'
import { createRightOfWay, givingWay } from './give-way.ts'
import type { Network } from '../sessions.ts'

/** A network whose steps take a turn of the event loop, and are written down when they begin. */
function network(name: string, steps: string[]): Network {
  return {
    outputNames: [name],
    async run() {
      steps.push(name)
      await nextTurn()
      return {}
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

const NOTHING: InferenceSession.FeedsType = {}

test('steps come one at a time, and none while something goes first', async ({ expect }) => {
  const steps: string[] = []
  const right = createRightOfWay()
  const sessions = givingWay({ encoder: network('encoder', steps), decoder: network('decoder', steps) }, right)
  let letGo = (): void => undefined
  const held = right.hold(() => new Promise<void>((resolve) => (letGo = resolve)))

  const runs = [sessions.encoder.run(NOTHING, []), sessions.decoder.run(NOTHING, [])]
  await nextTurn()
  expect(steps).toEqual([])
  letGo()
  await held
  await sessions.idle()

  expect(steps).toEqual(['encoder', 'decoder'])
  expect(sessions.waitedMs).toBeGreaterThan(0)
  await Promise.all(runs)
})

test('what goes first and what follows it let a step through between them', async ({ expect }) => {
  const steps: string[] = []
  const right = createRightOfWay()
  const sessions = givingWay({ encoder: network('encoder', steps), decoder: network('decoder', steps) }, right)
  const first = right.hold(async () => {
    await nextTurn()
    steps.push('first')
  })
  const run = sessions.decoder.run(NOTHING, [])

  await first
  await nextTurn()
  const second = right.hold(async () => {
    await nextTurn()
    steps.push('second')
  })

  await Promise.all([second, run])
  expect(steps).toEqual(['first', 'decoder', 'second'])
})

test('a step that fails, or what goes first and fails, keeps nobody from going on', async ({ expect }) => {
  const steps: string[] = []
  const right = createRightOfWay()
  const broken: Network = { outputNames: [], run: () => Promise.reject(new Error('broken')) }
  const sessions = givingWay({ encoder: broken, decoder: network('decoder', steps) }, right)
  const failed = expect(right.hold(() => Promise.reject(new Error('too')))).rejects.toThrow('too')

  await expect(sessions.encoder.run(NOTHING, [])).rejects.toThrow('broken')
  await sessions.decoder.run(NOTHING, [])

  await failed
  expect(steps).toEqual(['decoder'])
})
