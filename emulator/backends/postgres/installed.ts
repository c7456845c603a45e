import { OLDEST_MAJOR } from './binaries.ts'
import { findInstalled } from './installed-binaries.ts'
import type { PostgresAdapter } from './port.ts'
import { chooseServerUser } from './server-user.ts'
import { startPostgresServer } from './server.ts'

const REASON = `No PostgreSQL ${OLDEST_MAJOR} or newer was found in the usual folders or on PATH.`

/** PostgreSQL of this machine's package manager; its programs, not its database. */
export function installedPostgres({ cacheDir }: { readonly cacheDir: string }): PostgresAdapter {
  let finding: ReturnType<typeof findInstalled> | undefined
  const find = (): ReturnType<typeof findInstalled> => (finding ??= findInstalled())
  return {
    name: 'installed',
    async probe() {
      const binaries = await find()
      if (!binaries) return { available: false, reason: REASON }
      return { available: true, what: `PostgreSQL ${binaries.version}` }
    },
    async start(context) {
      const binaries = await find()
      if (!binaries) throw new Error(REASON)
      const user = await chooseServerUser()
      // Extensions are a package of their own on some systems, so none is loaded at start.
      return startPostgresServer({ ...context, adapter: 'installed', binaries, user, cacheDir, preload: [] })
    },
  }
}
