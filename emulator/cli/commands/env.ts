import { AldeaError } from '../../core/errors.ts'
import { readRegistry } from '../../core/state-dir.ts'
import { textOption, type CommandContext } from '../command.ts'

/** Prints what another program needs to find the parts of a running environment. */
export async function run(context: CommandContext): Promise<number> {
  const name = textOption(context, 'name') ?? 'default'
  const variables = variablesIn(await readRegistry({ baseDir: context.settings.baseDir, name }))
  if (!variables) {
    throw new AldeaError('ALDEA_NOT_RUNNING', `No environment named ${name} is running from this folder.`, {
      hint: 'npx aldea-local start',
    })
  }
  const lines = Object.entries(variables).map(([variable, value]) => `export ${variable}=${quoted(value)}`)
  const text = context.options['json'] === true ? JSON.stringify(variables, undefined, 2) : lines.join('\n')
  context.terminal.stdout.write(`${text}\n`)
  return 0
}

/** As a shell takes it, whatever is in it. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`
}

function variablesIn(registry: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof registry !== 'object' || registry === null || !('variables' in registry)) return undefined
  const { variables } = registry
  // Our own file, written by this version of the command.
  return typeof variables === 'object' && variables !== null ? (variables as Record<string, string>) : undefined
}
