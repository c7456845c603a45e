import { type EventSourceMapping, startEventSource } from '../../lambda/event-source.ts'
import { loadFunction, type LoadedFunction } from '../../lambda/function.ts'
import type { Part } from '../lifecycle.ts'
import type { EventSourceSpec, FunctionSpec } from '../system.ts'
import { AWS_ENDPOINT } from './aws-endpoint.ts'
import { loadAfterChildren } from './program.ts'
import { referencesOf } from './references.ts'
import { logOf, runtimeOf, type World } from './world.ts'

export function functionPart(world: World, spec: FunctionSpec): Part {
  const program = loadAfterChildren(spec)
  const { name, timeoutSeconds, memoryMb, eventSource } = spec
  return {
    name,
    after: [AWS_ENDPOINT, ...spec.after],
    async start() {
      const { start } = await program
      const variables = spec.variables(referencesOf(world))
      const runtime = runtimeOf(world, name)
      const { region } = world.topology
      const coldStarts = world.hasColdStarts === true ? 'every-time' : 'kept'
      const loaded = await loadFunction({
        name,
        region,
        timeoutSeconds,
        memoryMb,
        coldStarts,
        start,
        variables,
        runtime,
      })
      try {
        const answer = await invokeToEnd(loaded, spec.invokeAtStart)
        const mapping = eventSource && (await startMapping(world, eventSource, loaded))
        world.functions.set(name, loaded)
        const about = eventSource ? `function, reads ${eventSource.queue}` : 'function'
        return {
          detail: answer === undefined ? about : `${about}, invoked: ${JSON.stringify(answer)}`,
          async stop() {
            await mapping?.stop()
            await loaded.stop()
          },
        }
      } catch (error) {
        await loaded.stop()
        throw error
      }
    },
  }
}

/** Invokes it again as long as it says where to go on, as one does whose work is longer than its time-out. */
async function invokeToEnd(target: LoadedFunction, event: unknown): Promise<unknown> {
  if (event === undefined) return undefined
  for (let next = event; ;) {
    const answer = await target.invoke(next)
    if (!isUnfinished(answer)) return answer
    next = { ...(event as object), after: answer.next }
  }
}

function isUnfinished(answer: unknown): answer is { readonly next: string } {
  return typeof answer === 'object' && answer !== null && 'next' in answer && typeof answer.next === 'string'
}

async function startMapping(world: World, spec: EventSourceSpec, target: LoadedFunction): Promise<EventSourceMapping> {
  const { queue, clock, ids } = world
  if (!queue) throw new Error(`${target.name} reads a queue: name its backend in "after".`)
  const log = logOf(world, target.name)
  const mapping = await startEventSource({ spec, source: queue.source(spec.queue), target, clock, ids, log })
  world.mappings.push(mapping)
  return mapping
}
