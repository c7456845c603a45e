import { startLoadBalancer } from '../../alb/load-balancer.ts'
import type { Part } from '../lifecycle.ts'
import { throwTaken } from '../ports.ts'
import type { World } from './world.ts'

export const LOAD_BALANCER = 'load-balancer'

/** Bound first, so that a taken port is known at once; until its targets are there it answers 503, as the real one does. */
export function loadBalancerPart(world: World): Part {
  const { loadBalancer } = world.topology
  const { host, port } = world
  return {
    name: LOAD_BALANCER,
    after: [],
    async start() {
      const listener = { host, port, rules: loadBalancer.rules, defaultAction: loadBalancer.defaultAction }
      const { name, zones, targetGroups } = loadBalancer
      const balancer = await startLoadBalancer({ name, zones, targetGroups, listeners: [listener] }, world).catch(
        (error: unknown) => throwTaken(error, port, '--port'),
      )
      world.balancer = balancer
      const bound = balancer.listeners.map((each) => `${each.host}:${each.port}`).join(', ')
      return { detail: `${bound}  ${name}, nodes in ${zones.join(', ')}`, stop: () => balancer.stop() }
    },
  }
}
