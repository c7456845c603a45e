import type { CommandContext } from '../command.ts'
import { createJsonReporter } from './json.ts'
import { createPlainReporter } from './plain.ts'
import type { Reporter, Subject } from './reporter.ts'
import { createTtyReporter } from './tty.ts'

/** The reporter for where the command runs: `--json`, a terminal, or anything else. */
export function createReporter(context: CommandContext, subject: Subject): Reporter {
  if (context.options['json'] === true) return createJsonReporter(context, subject)
  return context.terminal.stderr.isTTY ? createTtyReporter(context, subject) : createPlainReporter(context, subject)
}
