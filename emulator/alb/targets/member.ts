import type { Failure } from '../failure.ts'
import type { InFlight } from '../in-flight.ts'
import type { Target, TargetHealth } from '../model.ts'
import type { ApplicationCookie } from './stickiness.ts'
import { type HealthTrack, initialTrack } from './target-health.ts'

/** A target in its group. */
export interface Registration {
  readonly target: Target
  /** What it has in flight. */
  readonly responses: InFlight
  readonly sockets: Set<OpenSocket>
  /** The balancer's cookie that goes with one of the application's own, when the group is sticky by that. */
  readonly applicationCookie: ApplicationCookie | undefined
}

export interface OpenSocket {
  /** Ends it at once, as a broken connection to the target would. */
  cut(cause: Failure): void
}

/** A registration with what decides whether it gets requests. */
export interface Member extends Registration {
  /** By node. */
  readonly views: readonly MemberView[]
  /** Registered when the group had no target, which spares it the slow start. */
  readonly isFirst: boolean
  /** Health that no node decides: draining, or unused. Undefined while health checks do. */
  fixed: TargetHealth | undefined
}

/** What one node knows of a member. */
export interface MemberView {
  track: HealthTrack
  hasBeenHealthy: boolean
  /** When its slow start began; undefined when it is in none. */
  slowSince: number | undefined
  /** Parts of a request that it is owed, while it is in slow start. */
  credit: number
}

export function createView(nowMs: number): MemberView {
  return { track: initialTrack(nowMs), hasBeenHealthy: false, slowSince: undefined, credit: 0 }
}

/** What a target has in flight: requests, and sockets for as long as they are open. */
export function outstandingOf({ responses, sockets }: Registration): number {
  return responses.size + sockets.size
}
