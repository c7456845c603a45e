import { choosePostgres, chooseQueue, chooseRedis, type ChooseOptions } from '../../backends/choose.ts'
import { relayPostgres, relayRedis, type Store, type StoreOptions } from '../../backends/relay/store.ts'
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
      if (context.externalUrl === undefined) world.ports.note(spec.name, store.url)
      return store
    },
  }
}

/** With a relay before it where it may fail over, else as it is: the plain case pays for nothing. */
async function startStore(world: World, spec: StoreSpec, context: ChooseOptions): Promise<Store> {
  const { events, clock, ports, backends } = world
  const { name, instances } = spec
  const hasRelay = isRelayed(backends, spec)
  // A container that was left running is found again by all that it was made of, its port included.
  const port = hasRelay || backends.container?.isReused === true ? 0 : await ports.wanted(name)
  const server = { ...context, port }
  const relay = async (): Promise<StoreOptions> => ({ name, instances, events, clock, port: await ports.wanted(name) })
  if (spec.kind === 'postgres') {
    const postgres = await choosePostgres({ ...server, database: spec.database })
    return hasRelay ? relayPostgres(postgres, await relay()) : postgres
  }
  const redis = await chooseRedis(server)
  return hasRelay ? relayRedis(redis, await relay()) : redis
}

function isRelayed({ urls, hasRelays }: BackendOptions, { kind, instances }: StoreSpec): boolean {
  // A server of the user's own is used as it is; it may be far away, and speak TLS.
  if (urls[kind] !== undefined) return false
  return hasRelays ?? instances.length > 1
}
