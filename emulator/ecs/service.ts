import type { Runtime, StartService, Variables } from '../../services/wire/runtime.ts'
import type { Target } from '../alb/model.ts'
import type { TargetGroup } from '../alb/targets/target-group.ts'
import { AldeaError, messageOf } from '../core/errors.ts'
import type { EventStream } from '../core/events.ts'
import { placeTask, placeTasks } from './placement.ts'
import { scheduleReplacements } from './replacement.ts'
import { toTarget } from './target.ts'
import { type Task, startTask } from './task.ts'

export interface Service {
  readonly name: string
  /** The present ones: a task that ended by itself stays until another one has taken its place. */
  readonly tasks: readonly Task[]
  /**
   * Ends a task as SIGKILL would; a new one takes its place as if it had crashed.
   * @throws Error when the service has no such task
   */
  kill(taskId: string): void
  /** Deregisters its tasks, so that they get nothing new; resolves when what is in flight has ended. */
  drain(): Promise<void>
  /** Deregisters its tasks, then stops them side by side. Idempotent; reports all failures together. */
  stop(): Promise<void>
}

export interface ServiceOptions {
  readonly name: string
  readonly start: StartService
  /** Tasks are spread over them evenly. */
  readonly zones: readonly string[]
  /** Number of tasks; one for each entry of `zones` when absent. */
  readonly count?: number | undefined
  /** 1 when absent. */
  readonly revision?: number | undefined
  readonly variables: Variables
  readonly runtime: Runtime
  /** Where its tasks are registered. */
  readonly targetGroup?: TargetGroup | undefined
  /** How they are reached there: `in-process` when absent; `network` for tasks that listen. */
  readonly targetKind?: Target['kind'] | undefined
  /** Lets every task listen on a port of its own. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Hears the texts that ECS writes into the events of a service. */
  readonly events?: EventStream | undefined
}

/** As many as an ECS task id has. */
const TASK_ID_BYTES = 16

/**
 * Starts the tasks of a service side by side, registers them, and returns when each has passed a health check. When
 * one fails the others are stopped again.
 * @throws ALDEA_SERVICE_FAILED for a task that is up and not healthy; else whatever the task throws.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, zones, count = zones.length, targetGroup, targetKind } = options
  const starts = placeTasks(zones, count).map((zone) => launch(options, zone))
  const results = await Promise.allSettled(starts)
  const tasks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const replacements = scheduleReplacements(options, tasks, (dead) => {
    const others = tasks.filter((task) => task !== dead)
    return launch(options, placeTask(zones, others), portOf(dead))
  })

  let stopped: Promise<void> | undefined
  const service: Service = {
    name,
    get tasks() {
      return [...tasks]
    },
    kill(taskId) {
      const task = tasks.find(({ id }) => id === taskId)
      if (!task) throw new Error(`${name} has no task ${taskId}.`)
      task.kill()
    },
    async drain() {
      await replacements.stop()
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
  replacements.begin()
  return service

  async function register(group: TargetGroup): Promise<void> {
    const targets = tasks.map((task) => toTarget(task, targetKind))
    group.register(...targets)
    await Promise.all(targets.map((target) => assertHealthy(name, target, group)))
  }

  function deregister(): void {
    targetGroup?.deregister(...tasks.map(({ id }) => id))
  }

  async function stop(): Promise<void> {
    await replacements.stop()
    deregister()
    const stops = await Promise.allSettled(tasks.map((task) => task.stop()))
    const failures = stops.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    if (failures.length > 0) {
      throw new AggregateError(failures, `${name} did not stop cleanly: ${failures.map(messageOf).join('; ')}`)
    }
  }
}

function launch(options: ServiceOptions, zone: string, port?: number): Promise<Task> {
  const { name, runtime, start, variables, listen, revision = 1 } = options
  const id = runtime.ids.hex(TASK_ID_BYTES)
  const log = runtime.log.child({ task: id })
  const where = listen && port !== undefined ? { ...listen, port } : listen
  return startTask({ id, service: name, zone, revision, start, variables, runtime: { ...runtime, log }, listen: where })
}

/** Others were told the address: whoever takes the place of a task answers there. */
function portOf({ address }: Task): number | undefined {
  return address === undefined ? undefined : Number(new URL(address).port)
}

async function assertHealthy(name: string, target: Target, group: TargetGroup): Promise<void> {
  const result = await group.firstCheck(target.id)
  if (result.passed) return
  const { description } = result
  throw new AldeaError('ALDEA_SERVICE_FAILED', `Task ${target.id} of ${name} failed its first check: ${description}.`)
}
