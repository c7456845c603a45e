import { readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder } from '../../services/wire/make-folder.ts'
import { AldeaError } from './errors.ts'
import { acquireLock, lockHolder } from './lock-file.ts'
import { reapLeftovers } from './reaper.ts'
import { replaceFile } from './replace-file.ts'
import type { Secrets } from './secrets.ts'

/** Names one running copy and the folder of its state. */
export interface StateDirName {
  /** Holds one folder for each named environment. */
  readonly baseDir: string
  readonly name: string
}

/** What a running environment tells other commands of itself. They are of the same version. */
export interface Registry {
  readonly pid: number
  /** Of the load balancer. */
  readonly url: string
  readonly httpsUrl: string | undefined
  readonly stage: string
  readonly profile: string
  /** URL of each database, by its name in the topology. */
  readonly backends: Readonly<Record<string, string>>
  readonly queueUrls: Readonly<Record<string, string>>
  /** What other programs find the parts by. */
  readonly variables: Readonly<Record<string, string>>
  /** What each service was started with. */
  readonly serviceVariables: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly secrets: Secrets
}

/** The folder of a running environment, ours alone until released. */
export interface StateDir {
  /** Absolute. */
  readonly path: string
  /** Replaces what `readRegistry` of another process finds. Only the user can read it: it may hold keys. */
  writeRegistry(registry: Registry): Promise<void>
  /** Removes the registry, then the lock. What else is in the folder stays for the next start. */
  release(): Promise<void>
}

/**
 * Makes and locks the folder of an environment and ends what an earlier start left running in it. Throws
 * `ALDEA_STATE_LOCKED` when a living process holds it.
 */
export async function openStateDir(where: StateDirName): Promise<StateDir> {
  const { path, registry } = pathsOf(where)
  await makeFolder(path, { mode: 0o700 })
  const lockFile = await acquireLock(path)
  if (!('release' in lockFile)) throw stateLocked(where.name, lockFile.pid)

  try {
    await rm(registry, { force: true })
    await reapLeftovers(path)
  } catch (error) {
    await lockFile.release()
    throw error
  }
  return {
    path,
    writeRegistry: (written) => replaceFile(registry, `${JSON.stringify(written, undefined, 2)}\n`, 'kill'),
    async release() {
      await rm(registry, { force: true })
      await lockFile.release()
    },
  }
}

/** What a running environment has written about itself; undefined when none of that name runs, or is not ready yet. */
export async function readRegistry(where: StateDirName): Promise<Registry | undefined> {
  const { path, registry } = pathsOf(where)
  if (!(await lockHolder(path))) return undefined
  const text = await readFile(registry, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Registry)
}

/** A folder name on every system: no separators, no leading dot, no drive, short. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i

function pathsOf({ baseDir, name }: StateDirName): { path: string; registry: string } {
  if (!NAME.test(name)) {
    throw new AldeaError('ALDEA_USAGE', `"${name}" cannot name an environment.`, {
      hint: 'Use up to 63 letters, digits, dots, dashes and underscores, a letter or digit first.',
    })
  }
  const path = resolve(baseDir, name)
  return { path, registry: join(path, 'environment.json') }
}

function stateLocked(name: string, pid: number): AldeaError {
  return new AldeaError('ALDEA_STATE_LOCKED', `The environment "${name}" is already running (pid ${pid}).`, {
    hint: `Stop it (kill ${pid}), or start another one beside it with --name.`,
  })
}
