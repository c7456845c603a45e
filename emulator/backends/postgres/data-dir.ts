import { execFile } from 'node:child_process'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { AldeaError } from '../../core/errors.ts'
import { replaceFile } from '../../core/replace-file.ts'
import type { PostgresBinaries } from './binaries.ts'
import { copyTree } from './copy-tree.ts'
import { asUser, assertReachable, giveTo, type ServerUser } from './server-user.ts'
import { SERVER_ENV, SUPERUSER, templateDir } from './template.ts'

/** What is needed to make and to open a data folder. */
export interface DataDirContext {
  readonly binaries: PostgresBinaries
  readonly adapter: string
  readonly user: ServerUser
  readonly cacheDir: string
  readonly stateDir: string
  readonly database: string
}

export interface DataDir {
  readonly path: string
  readonly password: string
}

/** Kept inside the data folder, so that both appear in one step and never part. */
interface Access {
  readonly password: string
  readonly databases: readonly string[]
}
const ACCESS_FILE = 'aldea-local.json'

/**
 * The data folder of earlier starts, or a new one; with `database` in it. Throws `ALDEA_STATE_MISMATCH` for data of
 * another major version, and leaves them alone.
 */
export async function openDataDir(context: DataDirContext): Promise<DataDir> {
  const path = join(context.stateDir, 'data')
  await makeFolder(context.stateDir, { mode: 0o700 })
  await assertReachable(path, context.user)
  const access = await keptAccess(path, context)
  if (!access) return makeDataDir(path, context)

  await giveTo(context.user, path)
  const { database } = context
  if (!access.databases.includes(database)) {
    await runAlone(path, context, [createDatabase(database)])
    await writeAccess(path, { ...access, databases: [...access.databases, database] })
  }
  return { path, password: access.password }
}

async function keptAccess(path: string, { binaries }: DataDirContext): Promise<Access | undefined> {
  const major = await readFile(join(path, 'PG_VERSION'), 'utf8').catch(() => undefined)
  if (major === undefined) return undefined
  if (Number(major) !== binaries.major) {
    throw mismatch(`${path} is of PostgreSQL ${major.trim()}, this is ${binaries.version}.`)
  }
  const text = await readFile(join(path, ACCESS_FILE), 'utf8').catch((cause: unknown) => {
    throw mismatch(`${path} holds a database that aldea-local did not make.`, cause)
  })
  return JSON.parse(text) as Access
}

function mismatch(message: string, cause?: unknown): AldeaError {
  const hint = 'Move that folder away to begin with an empty database.'
  return new AldeaError('ALDEA_STATE_MISMATCH', message, { hint, cause })
}

/** Copies the template beside and gives it its own password there: what has the name `data` is complete. */
async function makeDataDir(path: string, context: DataDirContext): Promise<DataDir> {
  const { stateDir, database, user } = context
  const template = await templateDir(context)
  await removeUnfinished(stateDir)
  const beside = join(stateDir, `${UNFINISHED}${process.pid}`)
  try {
    await copyTree(template, beside, 0o700)
    await giveTo(user, beside)
    // Not an injected id: those may be predictable, and this guards a superuser.
    const password = systemIds.hex(16)
    await runAlone(beside, context, [`ALTER ROLE ${SUPERUSER} PASSWORD '${password}'`, createDatabase(database)])
    await writeAccess(beside, { password, databases: [database] })
    await rename(beside, path)
    return { path, password }
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    throw error
  }
}

const UNFINISHED = 'data.new-'

async function removeUnfinished(stateDir: string): Promise<void> {
  const names = (await readdir(stateDir)).filter((name) => name.startsWith(UNFINISHED))
  await Promise.all(names.map((name) => rm(join(stateDir, name), { recursive: true, force: true })))
}

function createDatabase(name: string): string {
  // A copy of files: with the default strategy every page goes through the log.
  return `CREATE DATABASE "${name.replaceAll('"', '""')}" STRATEGY file_copy`
}

/**
 * Runs statements in PostgreSQL's single-user mode: 20 ms, no port, no password. It ends by itself when we do, with
 * its standard input.
 */
function runAlone(path: string, { binaries, user }: DataDirContext, statements: readonly string[]): Promise<void> {
  const { wrapper, uid, gid } = asUser(user)
  const [first, ...rest] = [
    ...wrapper,
    binaries.program('postgres'),
    '--single',
    '-D',
    path,
    ...ALONE_FLAGS,
    'postgres',
  ]
  return new Promise((resolve, reject) => {
    const child = execFile(first, rest, { cwd: '/', env: SERVER_ENV, uid, gid }, (error, _stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message, { cause: error }))
      else resolve()
    })
    child.stdin?.end(statements.map((statement) => `${statement}\n`).join(''))
  })
}

/** The log level is that of the server, or kept replication slots would forbid the start. */
const ALONE_FLAGS = ['exit_on_error=on', 'fsync=off', 'full_page_writes=off', 'wal_level=logical'].flatMap(
  (setting) => ['-c', setting],
)

async function writeAccess(path: string, access: Access): Promise<void> {
  // The database beside it survives no more than that: it runs with fsync off.
  await replaceFile(join(path, ACCESS_FILE), JSON.stringify(access), 'kill')
}
