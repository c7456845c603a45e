import { describe, test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { createEventStream } from './events.ts'
import { startParts, type Part } from './lifecycle.ts'

function world(): {
  parts: (specs: Record<string, PartSpec>) => Part[]
  trace: string[]
  deps: Parameters<typeof startParts>[1]
} {
  const trace: string[] = []
  const deps = { clock: systemClock, events: createEventStream() }
  return { parts: (specs) => Object.entries(specs).map(([name, spec]) => part(name, spec, trace)), trace, deps }
}

interface PartSpec {
  after?: string[]
  fails?: Error
  failsToStop?: Error
}

function part(name: string, { after = [], fails, failsToStop }: PartSpec, trace: string[]): Part {
  return {
    name,
    after,
    async start() {
      await Promise.resolve()
      if (fails) throw fails
      trace.push(`+${name}`)
      return {
        detail: name,
        async stop() {
          await Promise.resolve()
          if (failsToStop) throw failsToStop
          trace.push(`-${name}`)
        },
      }
    },
  }
}

describe('the life of parts', () => {
  test('a part starts after those it waits for and stops before them', async ({ expect }) => {
    const { parts, trace, deps } = world()
    const lifecycle = await startParts(parts({ proxy: { after: ['redis'] }, redis: {} }), deps)

    await lifecycle.stop()

    expect(trace).toEqual(['+redis', '+proxy', '-proxy', '-redis'])
  })

  test('a failed part stops the others and its error is thrown', async ({ expect }) => {
    const { parts, trace, deps } = world()
    const specs = { redis: {}, proxy: { after: ['redis'], fails: new Error('no room') }, sync: { after: ['proxy'] } }

    await expect(startParts(parts(specs), deps)).rejects.toMatchObject({
      code: 'ALDEA_SERVICE_FAILED',
      message: 'proxy did not start: no room',
    })

    expect(trace).toEqual(['+redis', '-redis'])
  })

  test('a part that fails to stop does not keep the others from stopping', async ({ expect }) => {
    const { parts, trace, deps } = world()
    const specs = { redis: {}, proxy: { after: ['redis'], failsToStop: new Error('stuck') } }
    const lifecycle = await startParts(parts(specs), deps)

    await expect(lifecycle.stop()).rejects.toThrow('Stopping failed: stuck')

    expect(trace).toEqual(['+redis', '+proxy', '-redis'])
  })

  test('stopping twice stops once', async ({ expect }) => {
    const { parts, trace, deps } = world()
    const lifecycle = await startParts(parts({ redis: {} }), deps)

    await Promise.all([lifecycle.stop(), lifecycle.stop()])

    expect(trace).toEqual(['+redis', '-redis'])
  })

  test.for([
    [{ a: { after: ['b'] }, b: { after: ['a'] } }, 'parts wait for each other: a → b → a'],
    [{ a: { after: ['ghost'] } }, 'a waits for ghost, which does not exist'],
  ] satisfies [Record<string, PartSpec>, string][])(
    'a system that can never start is refused: %j',
    async ([specs, problem], { expect }) => {
      const { parts, deps } = world()

      await expect(startParts(parts(specs), deps)).rejects.toThrow(problem)
    },
  )
})
