import { execFile } from 'node:child_process'
import { lchown, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AldeaError } from '../../core/errors.ts'

/**
 * Whom PostgreSQL runs as. It refuses to run as root, so root runs it in a user namespace, where root's files belong to
 * an ordinary user; or, where namespaces are forbidden, as another user.
 */
export type ServerUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number }

/** The unprivileged id of every Linux and macOS. initdb wants it in the passwd file, and it is. */
const NOBODY = 65_534
const NAMESPACE = ['unshare', '-U', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--']

const run = promisify(execFile)

export async function chooseServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return { kind: 'self' }
  const [first = '', ...rest] = NAMESPACE
  const canUnshare = await run(first, [...rest, 'true']).then(
    () => true,
    () => false,
  )
  return canUnshare ? { kind: 'namespace' } : otherUser()
}

/** `postgres` where a package has made it, else `nobody`. */
export async function otherUser(): Promise<ServerUser> {
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name]))).catch(() => undefined)
    if (!ids) continue
    const [uid = NOBODY, gid = NOBODY] = ids.map(({ stdout }) => Number(stdout))
    return { kind: 'other', uid, gid }
  }
  return { kind: 'other', uid: NOBODY, gid: NOBODY }
}

/** What `spawn` needs to run a program as `user`. */
export function asUser(user: ServerUser): { wrapper: readonly string[]; uid?: number; gid?: number } {
  if (user.kind === 'namespace') return { wrapper: NAMESPACE }
  return user.kind === 'other' ? { wrapper: [], uid: user.uid, gid: user.gid } : { wrapper: [] }
}

/** Throws when the server's user cannot get to `path`. */
export async function assertReachable(path: string, user: ServerUser): Promise<void> {
  if (await canReach(path, user)) return
  throw new AldeaError('ALDEA_MISSING', `PostgreSQL cannot run as root, and its own user cannot reach ${path}.`, {
    hint: 'Run as an ordinary user, or keep the state in a folder that every user can enter.',
  })
}

/** Hands a tree to the server's user, unless it has it already. */
export async function giveTo(user: ServerUser, path: string): Promise<void> {
  // Only root can give files away; anybody else can only have made them.
  if (process.getuid?.() !== 0) return
  const { uid, gid } = user.kind === 'other' ? user : { uid: 0, gid: 0 }
  if ((await stat(path)).uid !== uid) await giveTree(path, uid, gid)
}

/** The folder itself comes last: as long as it is not given, the rest is looked at again. */
async function giveTree(path: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) {
    const below = join(path, entry.name)
    await (entry.isDirectory() ? giveTree(below, uid, gid) : lchown(below, uid, gid))
  }
  await lchown(path, uid, gid)
}

/** Whether `user` may enter every folder above `path`. */
export async function canReach(path: string, user: ServerUser): Promise<boolean> {
  if (user.kind !== 'other') return true
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (folder === dirname(folder)) return true
  }
}
