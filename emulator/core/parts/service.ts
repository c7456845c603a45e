import type { TargetGroup } from '../../alb/targets/target-group.ts'
import { startService } from '../../ecs/service.ts'
import type { Part } from '../lifecycle.ts'
import type { ServiceSpec } from '../system.ts'
import { AWS_ENDPOINT } from './aws-endpoint.ts'
import { LOAD_BALANCER } from './balancer.ts'
import { loadAfterChildren } from './program.ts'
import { referencesOf } from './references.ts'
import { runtimeOf, type World } from './world.ts'

export function servicePart(world: World, spec: ServiceSpec): Part {
  const loaded = loadAfterChildren(spec)
  return {
    name: spec.name,
    activity: spec.activity,
    after: prerequisitesOf(spec),
    async start() {
      const { start } = await loaded
      const variables = spec.variables(referencesOf(world))
      world.variables.set(spec.name, variables)
      const targetGroup = targetGroupOf(world, spec)
      const isOverNetwork = targetGroup !== undefined && world.hasNetworkTargets === true
      const service = await startService({
        name: spec.name,
        start,
        zones: spec.taskZones,
        events: world.events,
        variables,
        runtime: runtimeOf(world, spec.name),
        targetGroup,
        targetKind: isOverNetwork ? 'network' : 'in-process',
        listen: spec.listens || isOverNetwork ? { host: '127.0.0.1', port: await portFor(world, spec) } : undefined,
      })
      world.services.set(spec.name, service)
      const addresses = service.tasks.flatMap((task) => (task.address === undefined ? [] : [task.address]))
      world.addresses.set(spec.name, addresses)
      if (addresses.length === 1) world.ports.note(spec.name, addresses[0])
      const zones = service.tasks.map((task) => task.zone).join(', ')
      const where = addresses.length > 0 ? addresses.join(', ') : 'in-process'
      const about = service.tasks[0]?.about
      const what = [
        where,
        `${plural(service.tasks.length, 'task')} in ${zones}`,
        ...(about === undefined ? [] : [about]),
      ]
      return { detail: what.join('  '), stop: () => service.stop() }
    },
  }
}

/** What must be ready before a service is, whoever runs it. */
export function prerequisitesOf({ targetGroup, after }: ServiceSpec): readonly string[] {
  return [AWS_ENDPOINT, ...(targetGroup === undefined ? [] : [LOAD_BALANCER]), ...after]
}

/** Undefined for what the load balancer does not call. */
export function targetGroupOf({ balancer }: World, { targetGroup }: ServiceSpec): TargetGroup | undefined {
  return targetGroup === undefined ? undefined : balancer?.targetGroup(targetGroup)
}

/** Several tasks have several ports, and which is whose means nothing. */
async function portFor({ ports }: World, { name, taskZones }: ServiceSpec): Promise<number> {
  return taskZones.length === 1 ? ports.wanted(name) : 0
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
