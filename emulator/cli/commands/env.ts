import { AldeaError } from '../../core/errors.ts'
import type { Registry } from '../../core/state-dir.ts'
import { textOption, type CommandContext } from '../command.ts'
import { runningOf } from '../running.ts'

/** Prints what another program needs to find the parts of a running environment, or to take the place of one. */
export async function run(context: CommandContext): Promise<number> {
  const service = textOption(context, 'service')
  const running = await runningOf(context)
  const variables = service === undefined ? running.variables : variablesOf(service, running)
  const lines = Object.entries(variables).map(([variable, value]) => `export ${variable}=${quoted(value)}`)
  const text = context.options['json'] === true ? JSON.stringify(variables, undefined, 2) : lines.join('\n')
  context.terminal.stdout.write(`${text}\n`)
  return 0
}

function variablesOf(service: string, { serviceVariables }: Registry): Readonly<Record<string, string>> {
  const variables = serviceVariables[service]
  if (variables) return variables
  throw new AldeaError('ALDEA_USAGE', `There is no service ${service}.`, {
    hint: `Known: ${Object.keys(serviceVariables).join(', ')}.`,
  })
}

/** As a shell takes it, whatever is in it. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`
}
