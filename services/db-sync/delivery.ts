import type { Change } from './domain/coalesce.ts'

/** Where changes go. */
export interface Delivery {
  /** Never rejects: what could not be delivered is left out, and why is told. */
  deliver(changes: readonly Change[], signal: AbortSignal): Promise<Delivered>
  stop(): Promise<void>
  /** Hangs up at once. */
  abandon(): void
}

export interface Delivered {
  /** The organisations whose change has arrived for good. */
  readonly organisations: ReadonlySet<string>
  /** Why others are missing. */
  readonly failure?: unknown
}
