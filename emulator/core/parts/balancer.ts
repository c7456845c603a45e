import { join } from 'node:path'
import { startLoadBalancer } from '../../alb/load-balancer.ts'
import { startAccessLog } from '../../alb/log/access-log.ts'
import { createAwsNames } from '../../alb/names.ts'
import { ACCOUNT_ID } from '../../backends/queue/port.ts'
import { messageOf } from '../errors.ts'
import type { Part } from '../lifecycle.ts'
import { throwTaken } from '../ports.ts'
import { type World, logOf } from './world.ts'

export const LOAD_BALANCER = 'load-balancer'

/** Bound first, so that a taken port is known at once; until its targets are there it answers 503, as the real one does. */
export function loadBalancerPart(world: World): Part {
  const { loadBalancer } = world.topology
  const { host, port, stateDir, events, ids } = world
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
      const names = createAwsNames({ name, region: world.topology.region, accountId: ACCOUNT_ID })
      const log = startAccessLog({
        folder: join(stateDir, 'access-log'),
        names,
        address: host,
        ids,
        events,
        failed: (error) => logOf(world, LOAD_BALANCER).warn(`The access log has ended: ${messageOf(error)}`),
      })
      const bound = balancer.listeners.map((each) => `${each.host}:${each.port}`).join(', ')
      return {
        detail: `${bound}  ${name}, nodes in ${zones.join(', ')}`,
        async stop() {
          await balancer.stop()
          await log.stop()
        },
      }
    },
  }
}
