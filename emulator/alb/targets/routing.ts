import type { TargetGroupConfig } from '../model.ts'

/** How a target came to be chosen for one request. */
export interface PickNotes {
  /** Fewer were healthy than the group's minimum: the target may be an unhealthy one. */
  isFailOpen: boolean
  /** The group is sticky, and the request had no cookie that says where it belongs. */
  isNonSticky: boolean
}

/** What a node chooses from. */
export interface RoutingState {
  readonly algorithm: NonNullable<TargetGroupConfig['algorithm']>
  /** Ids of the targets that get requests. */
  readonly routable: readonly string[]
  /** Fewer are healthy than the group's minimum, so that unhealthy ones get requests too. */
  readonly isFailOpen: boolean
}
