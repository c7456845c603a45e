import type { Environment } from '../../core/environment.ts'
import type { EnvironmentEvent } from '../../core/events.ts'
import type { System, Topology } from '../../core/system.ts'

/** Shows one environment's life. Reads events; never asks for any. */
export interface Reporter {
  event(event: EnvironmentEvent): void
  /** The start has ended, well or badly. */
  started(): void
  ready(environment: Environment): void
  stopped(): void
}

export interface Subject {
  readonly system: System
  readonly topology: Topology
}
