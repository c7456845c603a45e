import type { Runtime, StartService, Variables } from '../../services/wire/runtime.ts'
import type { Target } from '../alb/model.ts'
import type { TargetGroup } from '../alb/target-group.ts'
import { AldeaError, messageOf } from '../core/errors.ts'
import { type Task, startTask } from './task.ts'

export interface Service {
  readonly name: string
  readonly tasks: readonly Task[]
  /** Deregisters its tasks, so that they get nothing new; resolves when what is in flight has ended. */
  drain(): Promise<void>
  /** Deregisters its tasks, then stops them side by side. Idempotent; reports all failures together. */
  stop(): Promise<void>
}

export interface ServiceOptions {
  readonly name: string
  readonly start: StartService
  /** Tasks are spread over them in turn. */
  readonly zones: readonly string[]
  /** Number of tasks; one for each entry of `zones` when absent. */
  readonly count?: number | undefined
  /** 1 when absent. */
  readonly revision?: number | undefined
  readonly variables: Variables
  readonly runtime: Runtime
  /** Where its tasks are registered. */
  readonly targetGroup?: TargetGroup | undefined
  /** Lets every task listen on a port of its own. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
}

/** As many as an ECS task id has. */
const TASK_ID_BYTES = 16

/**
 * Starts the tasks of a service side by side, registers them, and returns when each has passed a health check. When
 * one fails the others are stopped again.
 * @throws ALDEA_SERVICE_FAILED for a task that is up and not healthy; else whatever the task throws.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, zones, count = zones.length, targetGroup, runtime } = options
  const starts = Array.from({ length: count }, (_, index) => {
    const id = runtime.ids.hex(TASK_ID_BYTES)
    const log = runtime.log.child({ task: id })
    const { start, variables, listen, revision = 1 } = options
    const zone = zones[index % zones.length] ?? ''
    return startTask({ id, service: name, zone, revision, start, variables, runtime: { ...runtime, log }, listen })
  })
  const results = await Promise.allSettled(starts)
  const tasks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))

  let stopped: Promise<void> | undefined
  const service: Service = {
    name,
    tasks,
    async drain() {
      deregister()
      await Promise.all(tasks.map((task) => task.drain()))
    },
    stop: () => (stopped ??= stop()),
  }
  try {
    for (const result of results) if (result.status === 'rejected') throw result.reason
    if (targetGroup) await register(targetGroup)
  } catch (error) {
    await service.stop().catch(() => undefined)
    throw error
  }
  return service

  async function register(group: TargetGroup): Promise<void> {
    const targets = tasks.map(toTarget)
    for (const target of targets) group.register(target)
    await Promise.all(targets.map((target) => assertHealthy(name, target, group)))
  }

  function deregister(): void {
    for (const { id } of tasks) targetGroup?.deregister(id)
  }

  async function stop(): Promise<void> {
    deregister()
    const stops = await Promise.allSettled(tasks.map((task) => task.stop()))
    const failures = stops.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    if (failures.length > 0) {
      throw new AggregateError(failures, `${name} did not stop cleanly: ${failures.map(messageOf).join('; ')}`)
    }
  }
}

function toTarget({ id, service, zone, server, gone }: Task): Target {
  if (!server) throw new Error(`${service} has no server, so it cannot be a target.`)
  return { id, zone, kind: 'in-process', server, gone }
}

async function assertHealthy(name: string, target: Target, group: TargetGroup): Promise<void> {
  const result = await group.firstCheck(target.id)
  if (result.passed) return
  const { description } = result
  throw new AldeaError('ALDEA_SERVICE_FAILED', `Task ${target.id} of ${name} failed its first check: ${description}.`)
}
