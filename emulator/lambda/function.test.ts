import { describe, test } from 'vitest'
import { createVirtualClock } from '../core/clock.ts'
import type { LoadedFunction } from './function.ts'
import type { Outcome } from './instance.ts'
import { load } from './testing.ts'

let requests = 0

function run(loaded: LoadedFunction, event: unknown = {}): Promise<Outcome> {
  requests += 1
  return loaded.run({ requestId: `request-${requests}`, payload: JSON.stringify(event) })
}

/** A program that counts its instances: each answers its number and how many events it has had. */
function counting(): { readonly start: Parameters<typeof load>[1] & object; readonly stopped: number[] } {
  const stopped: number[] = []
  let instances = 0
  return {
    stopped,
    start: {
      async start() {
        instances += 1
        const number = instances
        let events = 0
        return {
          async handler(event) {
            events += 1
            if (event === 'hang') await new Promise(() => undefined)
            return [number, events]
          },
          stop: async () => void stopped.push(number),
        }
      },
    },
  }
}

test('a program that cannot start is not loaded', async ({ expect, onTestFinished }) => {
  const start = (): Promise<never> => Promise.reject(new Error('no database'))
  await expect(load(onTestFinished, { start })).rejects.toThrow('no database')
})

test('invoke answers what the function answers, and throws what it threw', async ({ expect, onTestFinished }) => {
  const loaded = await load(onTestFinished, (event) => {
    if (event === 'bad') throw new RangeError('too far')
    return { event }
  })
  expect(await loaded.invoke({ a: 1 })).toEqual({ event: { a: 1 } })
  await expect(loaded.invoke('bad')).rejects.toThrow(
    expect.objectContaining({ name: 'RangeError', message: 'too far' }),
  )
})

describe('instances', () => {
  test('one is kept from event to event, and another is made while it is busy', async ({ expect, onTestFinished }) => {
    const { start } = counting()
    const loaded = await load(onTestFinished, start)
    expect(await loaded.invoke('a')).toEqual([1, 1])
    expect(await loaded.invoke('b')).toEqual([1, 2])
    expect(await Promise.all([loaded.invoke('c'), loaded.invoke('d')])).toEqual([
      [1, 3],
      [2, 1],
    ])
  })

  test('with cold starts every time, each event gets a fresh one', async ({ expect, onTestFinished }) => {
    const { start, stopped } = counting()
    const loaded = await load(onTestFinished, start, { coldStarts: 'every-time' })
    expect([await loaded.invoke('a'), await loaded.invoke('b')]).toEqual([
      [1, 1],
      [2, 1],
    ])
    expect(stopped).toEqual([1, 2])
  })

  test('one that timed out is thrown away', async ({ expect, onTestFinished }) => {
    const clock = createVirtualClock(0)
    const { start, stopped } = counting()
    const loaded = await load(onTestFinished, start, { clock, timeoutSeconds: 300 })
    const slow = run(loaded, 'hang')
    await clock.advance(299_999)
    expect(stopped).toEqual([])
    await clock.advance(1)
    expect((await slow).failure).toMatchObject({ errorType: 'Sandbox.Timedout' })
    expect(stopped).toEqual([1])
    expect(await loaded.invoke('next')).toEqual([2, 1])
    expect(clock.pending).toBe(0)
  })

  test('a kill fails what runs with Runtime.ExitError, and the next event gets a new one', async ({
    expect,
    onTestFinished,
  }) => {
    const { start, stopped } = counting()
    const loaded = await load(onTestFinished, start, { maximumInstances: 2 })
    const running = [run(loaded, 'hang'), run(loaded, 'hang')]
    await expect(run(loaded)).rejects.toMatchObject({ type: 'TooManyRequestsException' })
    loaded.kill()
    const outcomes = await Promise.all(running)
    expect(outcomes.map(({ failure }) => failure)).toEqual(
      outcomes.map(({ requestId }) => ({
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
      })),
    )
    expect(stopped).toEqual([1, 2])
    expect(await loaded.invoke('next')).toEqual([3, 1])
  })

  test('stopping waits for running events and stops every one', async ({ expect, onTestFinished }) => {
    let finish: (() => void) | undefined
    const loaded = await load(onTestFinished, () => new Promise((resolve) => (finish = () => resolve('done'))))
    const last = loaded.invoke('a')
    await expect.poll(() => finish).toBeDefined()
    const stopped = loaded.stop()
    await expect(loaded.invoke('b')).rejects.toThrow('f is being stopped.')
    finish?.()
    expect(await last).toBe('done')
    await stopped
  })
})

test('a stop kills what takes longer than a few seconds', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(0)
  const { start, stopped } = counting()
  const loaded = await load(onTestFinished, start, { clock, timeoutSeconds: 300 })
  const slow = run(loaded, 'hang')
  const stop = loaded.stop()
  await clock.advance(4_000)
  await stop
  expect((await slow).failure).toMatchObject({ errorType: 'Runtime.ExitError' })
  expect(stopped).toEqual([1])
})

describe('an event', () => {
  test('that fails is tried after one minute, after two more, and dropped', async ({ expect, onTestFinished }) => {
    const clock = createVirtualClock(0)
    const tries: string[] = []
    const loaded = await load(
      onTestFinished,
      (_event, { awsRequestId }) => {
        tries.push(`${awsRequestId} at ${clock.now() / 1_000} s`)
        throw new Error('no')
      },
      { clock },
    )
    loaded.send({ requestId: 'r', payload: '{}' })
    await clock.advance(6 * 3_600_000)
    expect(tries).toEqual(['r at 0 s', 'r at 60 s', 'r at 180 s'])
    expect(clock.pending).toBe(0)
  })

  test('that finds every instance busy waits, longer each time', async ({ expect, onTestFinished }) => {
    const clock = createVirtualClock(0)
    const seen: unknown[] = []
    const handler = async (event: unknown): Promise<void> => {
      if (event === 'slow') return clock.sleep(5_000)
      seen.push([event, clock.now()])
    }
    const loaded = await load(onTestFinished, handler, { clock, maximumInstances: 1, timeoutSeconds: 10 })
    const slow = run(loaded, 'slow')
    loaded.send({ requestId: 'r', payload: '"late"' })
    await clock.advance(6_999)
    await slow
    expect(seen).toEqual([])
    await clock.advance(1)
    expect(seen).toEqual([['late', 7_000]])
  })

  test('that waits to be tried again is dropped by stop', async ({ expect, onTestFinished }) => {
    const clock = createVirtualClock(0)
    let tries = 0
    const handler = (): never => {
      tries += 1
      throw new Error('no')
    }
    const loaded = await load(onTestFinished, handler, { clock })
    loaded.send({ requestId: 'r', payload: '{}' })
    await clock.advance(1_000)
    await loaded.stop()
    await clock.advance(600_000)
    expect([tries, clock.pending]).toEqual([1, 0])
  })
})
