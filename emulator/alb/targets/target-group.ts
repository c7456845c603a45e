import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../../services/wire/clock.ts'
import type { EventStream } from '../../core/events.ts'
import { takeOver } from '../answers.ts'
import { checkTarget } from './health-check.ts'
import type { Target, TargetGroupConfig, TargetHealthDescription } from '../model.ts'
import { type CheckResult, type HealthTrack, initialTrack, nextTrack } from './target-health.ts'

export interface TargetGroup {
  readonly name: string
  /** Takes the target in and checks it at once; it gets requests when that check has passed. */
  register(target: Target): void
  /** Nothing new goes there; what is in flight goes on until the deregistration delay ends. */
  deregister(targetId: string): void
  /** Every registered and draining target. */
  describeHealth(): readonly TargetHealthDescription[]
  /** The result of the target's first check since it was registered; rejects when it is not. */
  firstCheck(targetId: string): Promise<CheckResult>
}

/** A target in its group. */
export interface Registration {
  readonly target: Target
  /** What it has in flight. */
  readonly responses: Set<ServerResponse>
  readonly sockets: Set<OpenSocket>
}

export interface OpenSocket {
  /** Ends it at once, as a broken connection to the target would. */
  cut(): void
}

export interface RoutedTargetGroup extends TargetGroup {
  /** The target for one request through the node; undefined when none is registered. */
  pick(node: number): Registration | undefined
  stop(): void
}

interface Entry extends Registration {
  track: HealthTrack
  timer: Timer | undefined
  firstCheck: Promise<CheckResult> | undefined
}

/** AWS's default. */
const DEREGISTRATION_DELAY_SECONDS = 300

export function createTargetGroup(
  config: TargetGroupConfig,
  { clock, events }: { clock: Clock; events: EventStream },
): RoutedTargetGroup {
  const { name, healthCheck } = config
  const delayMs = (config.deregistrationDelaySeconds ?? DEREGISTRATION_DELAY_SECONDS) * 1000
  const entries = new Map<string, Entry>()
  /** Where each node's rotation stands: nodes do not know of each other. */
  const rotations: number[] = []
  let routable: readonly Entry[] = []

  function register(target: Target): void {
    const before = entries.get(target.id)
    if (before && before.track.health.state !== 'draining') return
    before?.timer?.cancel()
    const entry: Entry = {
      target,
      responses: before?.responses ?? new Set(),
      sockets: before?.sockets ?? new Set(),
      track: initialTrack(clock.now()),
      timer: undefined,
      firstCheck: undefined,
    }
    entries.set(target.id, entry)
    target.gone.addEventListener('abort', () => cutAll(entry), { once: true })
    changed(entry)
    entry.firstCheck = check(entry)
  }

  /** The next check is due an interval after this one began, however long this one takes. */
  async function check(entry: Entry): Promise<CheckResult> {
    entry.timer = clock.after(healthCheck.intervalSeconds * 1000, () => void check(entry))
    const result = await checkTarget(entry.target, healthCheck, clock)
    if (entries.get(entry.target.id) !== entry || entry.track.health.state === 'draining') return result
    const { health } = entry.track
    entry.track = nextTrack(entry.track, result, { config: healthCheck, nowMs: clock.now() })
    if (entry.track.health.state !== health.state) changed(entry)
    return result
  }

  function deregister(targetId: string): void {
    const entry = entries.get(targetId)
    if (!entry || entry.track.health.state === 'draining') return
    entry.timer?.cancel()
    const health = { state: 'draining', since: clock.now(), reason: 'Target.DeregistrationInProgress' } as const
    entry.track = { ...entry.track, health }
    entry.timer = clock.after(delayMs, () => remove(entry))
    changed(entry)
  }

  function remove(entry: Entry): void {
    entries.delete(entry.target.id)
    cutAll(entry)
    emitHealth(entry.target, 'unused', 'Target.NotRegistered')
  }

  /** What a client sees when the connection to the target breaks: a 502, or half an answer. */
  function cutAll({ responses, sockets }: Entry): void {
    for (const response of responses) takeOver(response, 502, clock.now())
    for (const socket of sockets) socket.cut()
  }

  function changed(entry: Entry): void {
    routable = routableOf([...entries.values()])
    const { health } = entry.track
    emitHealth(entry.target, health.state, 'reason' in health ? health.reason : '')
  }

  function emitHealth(target: Target, state: string, reason: string): void {
    events.emit({ type: 'alb.target-health', at: clock.now(), targetGroup: name, target: target.id, state, reason })
  }

  return {
    name,
    register,
    deregister,
    describeHealth: () => [...entries.values()].map(({ target, track }) => ({ target, health: track.health })),
    async firstCheck(targetId) {
      const checked = entries.get(targetId)?.firstCheck
      if (!checked) throw new Error(`${targetId} is not registered in ${name}.`)
      return checked
    },
    pick(node) {
      const count = routable.length
      if (count === 0) return undefined
      const turn = (rotations[node] ?? node) % count
      rotations[node] = turn + 1
      return routable[turn]
    },
    stop() {
      for (const { timer } of entries.values()) timer?.cancel()
    },
  }
}

/** The healthy ones; when there is none, all but the draining ones: the balancer fails open. */
function routableOf(entries: readonly Entry[]): readonly Entry[] {
  const healthy = entries.filter(({ track }) => track.health.state === 'healthy')
  return healthy.length > 0 ? healthy : entries.filter(({ track }) => track.health.state !== 'draining')
}
