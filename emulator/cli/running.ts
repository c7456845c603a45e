import { AldeaError, messageOf } from '../core/errors.ts'
import { readRegistry, type Registry } from '../core/state-dir.ts'
import { type CommandContext, textOption } from './command.ts'

/** The environment that `--name` names; undefined when none of that name runs. */
export async function findRunning(context: CommandContext): Promise<Registry | undefined> {
  return readRegistry({ baseDir: context.settings.baseDir, name: nameOf(context) })
}

/** @throws ALDEA_NOT_RUNNING */
export async function runningOf(context: CommandContext): Promise<Registry> {
  const running = await findRunning(context)
  if (running) return running
  throw new AldeaError('ALDEA_NOT_RUNNING', `No environment named ${nameOf(context)} is running from this folder.`, {
    hint: 'npx aldea-local start',
  })
}

/** Where it tells of itself. */
export function endpointOf({ variables }: Registry): string {
  return variables['AWS_ENDPOINT_URL'] ?? ''
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
