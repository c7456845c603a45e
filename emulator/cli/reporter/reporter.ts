import type { Environment } from '../../core/environment.ts'
import type { EnvironmentEvent } from '../../core/events.ts'
import type { System, Topology } from '../../core/system.ts'
import type { CommandContext } from '../command.ts'
import { createJsonReporter } from './json.ts'
import { createPlainReporter } from './plain.ts'
import { createTtyReporter } from './tty.ts'

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

export function createReporter(context: CommandContext, subject: Subject): Reporter {
  if (context.options['json'] === true) return createJsonReporter(context, subject)
  return context.terminal.stderr.isTTY ? createTtyReporter(context, subject) : createPlainReporter(context, subject)
}
