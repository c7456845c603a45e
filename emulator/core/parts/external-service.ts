import type { Variables } from '../../../services/wire/runtime.ts'
import type { NetworkTarget } from '../../alb/model.ts'
import { placeTasks } from '../../ecs/placement.ts'
import { placeOf } from '../../ecs/target.ts'
import { AldeaError } from '../errors.ts'
import type { Part } from '../lifecycle.ts'
import type { ServiceSpec } from '../system.ts'
import { referencesOf } from './references.ts'
import { prerequisitesOf, targetGroupOf } from './service.ts'
import { runtimeOf, type World } from './world.ts'

/**
 * A program of the user's own in the place of a service. Nobody here starts it or waits for it: it needs the variables of
 * an environment that runs, so it comes later, and may go and come again.
 */
export function externalServicePart(world: World, spec: ServiceSpec, addresses: readonly string[]): Part {
  const { name } = spec
  return {
    name,
    after: prerequisitesOf(spec),
    async start() {
      const variables = spec.variables(referencesOf(world))
      const { prepare } = await spec.load()
      await prepare?.(variables, runtimeOf(world, name))
      world.variables.set(name, { ...variables, ...portVariable(addresses) })
      world.addresses.set(name, addresses)
      const group = targetGroupOf(world, spec)
      const targets = targetsAt(addresses, spec.taskZones)
      for (const target of targets) assertElsewhere(world, target)
      group?.register(...targets)
      return {
        detail: [...addresses, `a program of your own, with: ${envCommand(world.name, name)}`].join('  '),
        async stop() {
          group?.deregister(...targets.map(({ id }) => id))
        },
      }
    },
  }
}

/** What the user types to get its variables. */
function envCommand(environment: string, service: string): string {
  return `aldea-local env --service ${service}${environment === 'default' ? '' : ` --name ${environment}`}`
}

/** Where the program of the first address is to listen. */
function portVariable([address]: readonly string[]): Variables {
  return address === undefined ? {} : { PORT: String(placeOf(address).port) }
}

/** A request that the load balancer sends to itself comes back for ever, and the program could not listen there. */
function assertElsewhere({ balancer }: World, { id, host, port }: NetworkTarget): void {
  const isOurs = balancer?.listeners.some((each) => each.port === port && isHere(each.host, host))
  if (isOurs !== true) return
  throw new AldeaError('ALDEA_USAGE', `${id} is the load balancer itself, not a program of your own.`, {
    hint: 'Choose another port for that program, or for the load balancer with --port.',
  })
}

const EVERYWHERE = new Set(['0.0.0.0', '::'])
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/

function isHere(listening: string, called: string): boolean {
  const [here, there] = [addressOf(listening), addressOf(called)]
  return here === there || (EVERYWHERE.has(here) && LOOPBACK.test(there))
}

function addressOf(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host
}

function targetsAt(addresses: readonly string[], zones: readonly string[]): NetworkTarget[] {
  const places = placeTasks(zones, addresses.length)
  return addresses.map((address, index) => ({
    kind: 'network',
    id: new URL(address).host,
    zone: places[index] ?? '',
    ...placeOf(address),
    gone: new AbortController().signal,
  }))
}
