import { embeddedBinaries, findPackage, hasLoader, PACKAGE_NAME } from './embedded-binaries.ts'
import type { PostgresAdapter } from './port.ts'
import { chooseServerUser, type ServerUser } from './server-user.ts'
import { startPostgresServer } from './server.ts'

export interface EmbeddedPostgresOptions {
  /** Where templates, and where needed programs, are kept for all environments. */
  readonly cacheDir: string
  /** Absent: chosen by who we are. */
  readonly user?: ServerUser
}

/** PostgreSQL from the npm package of this platform. */
export function embeddedPostgres({ cacheDir, user: givenUser }: EmbeddedPostgresOptions): PostgresAdapter {
  return {
    name: 'embedded',
    async probe() {
      const found = await findPackage()
      if (!found) return { available: false, reason: `The package ${PACKAGE_NAME} is not installed.` }
      if (!(await hasLoader())) return { available: false, reason: `${PACKAGE_NAME} needs a system with glibc.` }
      return { available: true, what: `PostgreSQL ${found.version}` }
    },
    async start(context) {
      const found = await findPackage()
      if (!found) throw new Error(`The package ${PACKAGE_NAME} is not installed.`)
      const user = givenUser ?? (await chooseServerUser())
      const binaries = await embeddedBinaries(found, { user, cacheDir })
      return startPostgresServer({
        ...context,
        adapter: 'embedded',
        binaries,
        user,
        cacheDir,
        preload: ['pg_stat_statements'],
      })
    },
  }
}
