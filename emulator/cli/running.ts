import { AldeaError, messageOf } from '../core/errors.ts'
import { readRegistry } from '../core/state-dir.ts'
import { type CommandContext, textOption } from './command.ts'

/** The address at which the environment that `--name` names tells of itself; undefined when none of that name runs. */
export async function findEndpoint(context: CommandContext): Promise<string | undefined> {
  const registry = await readRegistry({ baseDir: context.settings.baseDir, name: nameOf(context) })
  if (typeof registry !== 'object' || registry === null || !('variables' in registry)) return undefined
  // Our own file, written by this version of the command.
  return (registry.variables as Readonly<Record<string, string>>)['AWS_ENDPOINT_URL']
}

/** @throws ALDEA_NOT_RUNNING */
export async function endpointOf(context: CommandContext): Promise<string> {
  const endpoint = await findEndpoint(context)
  if (endpoint !== undefined) return endpoint
  throw new AldeaError('ALDEA_NOT_RUNNING', `No environment named ${nameOf(context)} is running from this folder.`, {
    hint: 'npx aldea-local start',
  })
}

/** @throws ALDEA_REQUEST_FAILED */
export async function askEndpoint(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init).catch((error: unknown) => {
    throw new AldeaError('ALDEA_REQUEST_FAILED', `${url} did not answer: ${messageOf(error)}.`, { cause: error })
  })
  if (response.ok) return response.json()
  throw new AldeaError('ALDEA_REQUEST_FAILED', `${url} answered ${response.status}: ${await response.text()}`)
}

function nameOf(context: CommandContext): string {
  return textOption(context, 'name') ?? 'default'
}
