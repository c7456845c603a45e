import type { Clock } from '../../services/wire/clock.ts'
import { AldeaError, isAldeaError, messageOf } from './errors.ts'
import type { EventStream } from './events.ts'

/** One thing an environment starts and stops. */
export interface Part {
  readonly name: string
  /** What takes its time while it starts, for people who wait. */
  readonly activity?: string | undefined
  /** Names of the parts that must be ready first. */
  readonly after: readonly string[]
  start(): Promise<StartedPart>
}

export interface StartedPart {
  /** One line for the user: where it is, what it is. */
  readonly detail: string
  stop(): Promise<void>
}

export interface Lifecycle {
  /** Stops everything in the reverse order of readiness. Idempotent; reports all failures together. */
  stop(): Promise<void>
}

export interface LifecycleDeps {
  readonly clock: Clock
  readonly events: EventStream
}

/** A part that has not stopped by then is left behind, so that one hanging part does not hold the others. */
const STOP_DEADLINE_MS = 10_000

/**
 * Starts the parts as their dependencies allow, side by side where they can. When one fails the others are stopped
 * again and the first failure is thrown.
 */
export async function startParts(parts: readonly Part[], { clock, events }: LifecycleDeps): Promise<Lifecycle> {
  assertNoCycle(parts)
  const started: { name: string; part: StartedPart }[] = []
  const starts = new Map<string, Promise<void>>()
  let failure: unknown

  for (const part of inOrder(parts)) {
    const before = part.after.flatMap((name) => starts.get(name) ?? [])
    starts.set(part.name, startOne(part, before))
  }
  await Promise.allSettled(starts.values())

  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopAll())
  if (failure === undefined) return { stop }
  await stop()
  throw failure

  async function startOne(part: Part, before: readonly Promise<void>[]): Promise<void> {
    await Promise.all(before)
    if (failure !== undefined) return
    const at = clock.now()
    const { name, activity } = part
    events.emit({ type: 'part.starting', at, part: name, activity })
    try {
      const running = await part.start()
      started.push({ name: part.name, part: running })
      const now = clock.now()
      events.emit({ type: 'part.ready', at: now, part: part.name, detail: running.detail, tookMs: now - at })
    } catch (error) {
      failure ??= isAldeaError(error) ? error : serviceFailed(part.name, error)
      events.emit({ type: 'part.failed', at: clock.now(), part: part.name, message: messageOf(error) })
    }
  }

  async function stopAll(): Promise<void> {
    const failures: unknown[] = []
    for (const { name, part } of started.toReversed()) {
      await withDeadline(name, part.stop()).catch((error: unknown) => failures.push(error))
      events.emit({ type: 'part.stopped', at: clock.now(), part: name })
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, `Stopping failed: ${failures.map(messageOf).join('; ')}`)
    }
  }

  async function withDeadline(name: string, stopped: Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = clock.deadline(STOP_DEADLINE_MS, () =>
        reject(new Error(`${name} did not stop in ${STOP_DEADLINE_MS / 1000} s`)),
      )
      stopped.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

function serviceFailed(part: string, cause: unknown): AldeaError {
  return new AldeaError('ALDEA_SERVICE_FAILED', `${part} did not start: ${messageOf(cause)}`, { cause })
}

/** Dependencies first, otherwise as listed. */
function inOrder(parts: readonly Part[]): Part[] {
  const byName = new Map(parts.map((part) => [part.name, part]))
  const ordered = new Set<Part>()
  const visit = (part: Part): void => {
    for (const name of part.after) {
      const before = byName.get(name)
      if (before && !ordered.has(before)) visit(before)
    }
    ordered.add(part)
  }
  parts.forEach(visit)
  return [...ordered]
}

function assertNoCycle(parts: readonly Part[]): void {
  const byName = new Map(parts.map((part) => [part.name, part]))
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw invalidSystem(`parts wait for each other: ${[...path, name].join(' → ')}`)
    const part = byName.get(name)
    if (!part) throw invalidSystem(`${path.at(-1) ?? 'a part'} waits for ${name}, which does not exist`)
    if (done.has(name)) return
    for (const before of part.after) visit(before, [...path, name])
    done.add(name)
  }
  for (const part of parts) visit(part.name, [])
}

function invalidSystem(problem: string): AldeaError {
  return new AldeaError('ALDEA_CONFIG_INVALID', `The system cannot be started: ${problem}.`)
}
