import type { CommandContext } from '../command.ts'
import { firstRequest } from './first-request.ts'
import type { Reporter, Subject } from './reporter.ts'

/** One event per line on stdout; the line of type `ready` holds what a program needs to use the environment. */
export function createJsonReporter({ terminal, clock }: CommandContext, { topology }: Subject): Reporter {
  const write = (value: unknown): void => void terminal.stdout.write(`${JSON.stringify(value, errorsAsText)}\n`)
  return {
    event: write,
    started: () => undefined,
    ready(environment) {
      const { system, stage, profile, hosts, demo } = topology
      const curl = firstRequest(environment.url, demo)
      const { name, url, backends } = environment
      write({ type: 'ready', at: clock.now(), name, system, stage, profile, url, hosts, backends, key: demo.key, curl })
    },
    stopped: () => write({ type: 'stopped', at: clock.now() }),
  }
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value
}
