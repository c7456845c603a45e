import { join } from 'node:path'
import { systemClock } from '../../../services/wire/clock.ts'
import { type LoadBalancer, startLoadBalancer } from '../../alb/load-balancer.ts'
import { startAccessLog } from '../../alb/log/access-log.ts'
import { createMetrics } from '../../alb/metrics/metrics.ts'
import type { ListenerConfig, TargetHealthDescription } from '../../alb/model.ts'
import { createAwsNames } from '../../alb/names.ts'
import { openCertificates } from '../../alb/tls/certificates.ts'
import { ACCOUNT_ID } from '../../backends/queue/port.ts'
import { messageOf } from '../errors.ts'
import type { Part } from '../lifecycle.ts'
import { throwTaken } from '../ports.ts'
import { type World, logOf } from './world.ts'

export const LOAD_BALANCER = 'load-balancer'

/** Bound first, so that a taken port is known at once; until its targets are there it answers 503, as the real one does. */
export function loadBalancerPart(world: World): Part {
  const { loadBalancer, region } = world.topology
  const { host, https, stateDir, events, clock, ids } = world
  return {
    name: LOAD_BALANCER,
    after: [],
    async start() {
      const { name, zones, targetGroups } = loadBalancer
      const names = createAwsNames({ name, region, accountId: ACCOUNT_ID })
      const listeners = await listenersOf(world)
      const healthOf = (group: string): readonly TargetHealthDescription[] =>
        world.balancer?.targetGroup(group).describeHealth() ?? []
      const metrics = createMetrics({ clock, names, zones, healthOf })
      const balancer = await startLoadBalancer(
        { name, zones, targetGroups, listeners },
        { ...world, observer: metrics },
      ).catch((error: unknown) => throwTakenOf(error, world))
      if (https?.redirects === true) redirectToHttps(balancer)
      world.balancer = balancer
      world.metrics = metrics
      events.read(metrics.observe)
      const log = startAccessLog({
        folder: accessLogFolder(stateDir),
        names,
        address: host,
        ids,
        events,
        failed: (error) => logOf(world, LOAD_BALANCER).warn(`The access log has ended: ${messageOf(error)}`),
      })
      const bound = balancer.listeners.map((each, index) => `${index === 0 ? '' : 'https '}${each.host}:${each.port}`)
      return {
        detail: `${bound.join(', ')}  ${name}, nodes in ${zones.join(', ')}`,
        async stop() {
          await balancer.stop()
          await log.stop()
        },
      }
    },
  }
}

/** Plain HTTP first; then HTTPS, where it is wanted, with the same rules. */
async function listenersOf({ topology, host, port, https, cacheDir }: World): Promise<ListenerConfig[]> {
  const { rules, defaultAction } = topology.loadBalancer
  const plain = { host, port, rules, defaultAction }
  if (!https) return [plain]
  const tls = await openCertificates({
    folder: tlsFolder(cacheDir),
    hosts: topology.hosts.flatMap(({ name, twin }) => [name, twin]),
    region: topology.region,
    accountId: ACCOUNT_ID,
    // Clients compare certificates with the time they have themselves.
    clock: systemClock,
  })
  return [plain, { ...plain, port: https.port, tls }]
}

/** Where the user's authority and its certificates are kept. */
export function tlsFolder(cacheDir: string): string {
  return join(cacheDir, 'tls')
}

export function accessLogFolder(stateDir: string): string {
  return join(stateDir, 'access-log')
}

/** Only now is the port known that a listener on any free one has got. */
function redirectToHttps({ listeners: [plain, secure] }: LoadBalancer): void {
  if (!plain || !secure) return
  plain.rules.setRules([])
  plain.rules.setDefaultAction({ type: 'redirect', statusCode: 301, protocol: 'HTTPS', port: String(secure.port) })
}

/** Of two ports the error says which one it is about. */
async function throwTakenOf(error: unknown, { port, https }: World): Promise<never> {
  const taken = error instanceof Error && 'port' in error ? error.port : port
  if (https && taken === https.port) return throwTaken(error, https.port, '--https-port')
  return throwTaken(error, port, '--port')
}
