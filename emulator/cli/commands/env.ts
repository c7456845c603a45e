import { AldeaError } from '../../core/errors.ts'
import type { Registry } from '../../core/state-dir.ts'
import { textOption, type CommandContext } from '../command.ts'
import { runningOf } from '../running.ts'

/** Prints what another program needs to find the parts of a running environment, or to take the place of one. */
export async function run(context: CommandContext): Promise<number> {
  const service = textOption(context, 'service')
  const running = await runningOf(context)
  const variables = service === undefined ? running.variables : variablesOf(service, running)
  context.terminal.stdout.write(`${textOf(variables, context.options)}\n`)
  return 0
}

function textOf(variables: Readonly<Record<string, string>>, { json, dotenv }: CommandContext['options']): string {
  if (json === true) return JSON.stringify(variables, undefined, 2)
  const line = dotenv === true ? dotenvLine : shellLine
  return Object.entries(variables).map(line).join('\n')
}

/** As it is: some readers take quotes away and some do not, and nothing here needs any. */
function dotenvLine([variable, value]: readonly [string, string]): string {
  return `${variable}=${value}`
}

function shellLine([variable, value]: readonly [string, string]): string {
  return `export ${variable}=${quoted(value)}`
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
