import type { Target } from '../alb/model.ts'
import type { Task } from './task.ts'

/** A task as its target group knows it. @throws Error for a task that cannot be reached that way */
export function toTarget(
  { id, service, zone, server, address, gone }: Task,
  kind: Target['kind'] = 'in-process',
): Target {
  if (kind === 'in-process') {
    if (!server) throw new Error(`${service} has no server, so it cannot be a target.`)
    return { id, zone, kind, server, gone }
  }
  if (address === undefined) throw new Error(`${service} does not listen, so it cannot be a network target.`)
  return { id, zone, kind, ...placeOf(address), gone }
}

/** Of an origin, as sockets take it. */
export function placeOf(origin: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(origin)
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usualPort(protocol) : Number(port) }
}

function usualPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80
}
