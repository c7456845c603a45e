import type { Target } from '../alb/model.ts'
import type { Task } from './task.ts'

/** A task as its target group knows it. @throws Error for a task without a server */
export function toTarget({ id, service, zone, server, gone }: Task): Target {
  if (!server) throw new Error(`${service} has no server, so it cannot be a target.`)
  return { id, zone, kind: 'in-process', server, gone }
}
