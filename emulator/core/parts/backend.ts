import { choosePostgres, chooseQueue, chooseRedis } from '../../backends/choose.ts'
import type { Part, StartedPart } from '../lifecycle.ts'
import type { BackendSpec } from '../system.ts'
import { logOf, type World } from './world.ts'

export function backendPart(world: World, spec: BackendSpec): Part {
  const { stateDir, cacheDir, events, redisBinary, clock } = world
  return {
    name: spec.name,
    after: [],
    async start(): Promise<StartedPart> {
      const { mode, urls, container, awsCredentials = {} } = world.backends
      const context = {
        name: spec.name,
        stateDir,
        cacheDir,
        port: 0,
        log: logOf(world, spec.name),
        clock,
        events,
        redisBinary,
        mode,
        externalUrl: urls[spec.kind],
        ...(container && { container }),
      }
      if (spec.kind === 'queue') {
        const { region } = world.topology
        world.queue = await chooseQueue({
          ...context,
          region,
          queues: spec.queues,
          ids: world.ids,
          variables: awsCredentials,
        })
        return world.queue
      }
      const store =
        spec.kind === 'postgres'
          ? await choosePostgres({ ...context, database: spec.database })
          : await chooseRedis(context)
      world.stores.set(spec.name, store)
      return store
    },
  }
}
