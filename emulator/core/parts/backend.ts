import { choosePostgres, chooseQueue, chooseRedis, type ChooseOptions } from '../../backends/choose.ts'
import { relayPostgres, relayRedis, type Store } from '../../backends/relay/store.ts'
import type { BackendOptions } from '../environment-options.ts'
import type { Part, StartedPart } from '../lifecycle.ts'
import type { BackendSpec, StoreSpec } from '../system.ts'
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
      const store = await startStore(world, spec, context)
      world.stores.set(spec.name, store)
      return store
    },
  }
}

/** With a relay before it where it may fail over, else as it is: the plain case pays for nothing. */
async function startStore(world: World, spec: StoreSpec, context: ChooseOptions): Promise<Store> {
  const { events, clock } = world
  const { name, instances } = spec
  const hasRelay = isRelayed(world.backends, spec)
  if (spec.kind === 'postgres') {
    const postgres = await choosePostgres({ ...context, database: spec.database })
    return hasRelay ? relayPostgres(postgres, { name, instances, events, clock }) : postgres
  }
  const redis = await chooseRedis(context)
  return hasRelay ? relayRedis(redis, { name, instances, events, clock }) : redis
}

function isRelayed({ urls, hasRelays }: BackendOptions, { kind, instances }: StoreSpec): boolean {
  // A server of the user's own is used as it is; it may be far away, and speak TLS.
  if (urls[kind] !== undefined) return false
  return hasRelays ?? instances.length > 1
}
