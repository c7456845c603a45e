import type { Timer } from '../../services/wire/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { ServiceOptions } from './service.ts'
import { toTarget } from './target.ts'
import type { Task } from './task.ts'

/**
 * How long the scheduler takes to see that a task has ended by itself. Until then its target is registered and answers
 * 502: on AWS for some 3 to 5 s (aws-behaviour.md §4.2); here shorter, so that a broken service is whole again soon.
 */
const NOTICE_MS = 1_000
/** After a task that did not start; doubled for each further one up to the most, ECS's own (§4.1). */
const FIRST_RETRY_MS = 1_000
const MOST_RETRY_MS = 900_000

export interface Replacements {
  /** From now on tasks that end by themselves are replaced. */
  begin(): void
  /** Replaces nothing more; resolves when no start is under way. Idempotent. */
  stop(): Promise<void>
}

/** Keeps `tasks`, in place, at the number they are: each that ends by itself is deregistered and another one launched. */
export function scheduleReplacements(
  { name, runtime, targetGroup, targetKind, events }: Omit<ServiceOptions, 'start'>,
  tasks: Task[],
  launch: (dead: Task) => Promise<Task>,
): Replacements {
  const { clock, log } = runtime
  const timers = new Set<Timer>()
  const starts = new Set<Promise<void>>()
  let isStopping = false

  function watch(task: Task): void {
    const lost = (): void => {
      if (!isStopping) later(NOTICE_MS, () => replace(task))
    }
    if (task.gone.aborted) return lost()
    task.gone.addEventListener('abort', lost, { once: true })
  }

  async function replace(dead: Task, retryMs = FIRST_RETRY_MS): Promise<void> {
    targetGroup?.deregister(dead.id)
    try {
      const task = await launch(dead)
      tasks.splice(tasks.indexOf(dead), 1, task)
      if (isStopping) return
      announce(`has started 1 tasks: (task ${task.id}).`)
      targetGroup?.register(toTarget(task, targetKind))
      if (targetGroup) announce(`registered 1 targets in (target-group ${targetGroup.name})`)
      watch(task)
    } catch (error) {
      log.error({ err: error }, `a task of ${name} cannot be replaced: ${messageOf(error)}`)
      announce('is unable to consistently start tasks successfully.')
      later(retryMs, () => replace(dead, Math.min(MOST_RETRY_MS, 2 * retryMs)))
    }
  }

  function later(ms: number, run: () => Promise<void>): void {
    if (isStopping) return
    const timer = clock.after(ms, () => {
      timers.delete(timer)
      const started = run().finally(() => starts.delete(started))
      starts.add(started)
    })
    timers.add(timer)
  }

  function announce(text: string): void {
    const message = `(service ${name}) ${text}`
    log.info(message)
    events?.emit({ type: 'cloud.event', at: clock.now(), source: 'ecs', subject: name, message })
  }

  return {
    begin() {
      for (const task of tasks) watch(task)
    },
    async stop() {
      isStopping = true
      for (const timer of timers) timer.cancel()
      await Promise.all(starts)
    },
  }
}
