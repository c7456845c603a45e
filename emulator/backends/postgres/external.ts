import { AldeaError, messageOf } from '../../core/errors.ts'
import { ensureDatabase, urlWith } from './ensure-database.ts'
import type { PostgresAdapter } from './port.ts'

const OLDEST_MAJOR = 15

/**
 * A PostgreSQL that is there already: `postgres://user:password@host:port[/database]`. A database that the URL names is
 * used, else the one of the system; it is made where it is absent.
 */
export function externalPostgres(url: string): PostgresAdapter {
  return {
    name: 'external',
    async probe() {
      if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
        return { available: false, reason: 'The URL of PostgreSQL is not postgres://user:password@host:port/database.' }
      }
      try {
        const version = await ensureDatabase(url, 'postgres')
        if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return { available: true, what: `PostgreSQL ${version}` }
        return { available: false, reason: `${shown(url)} is PostgreSQL ${version}, ${OLDEST_MAJOR} is needed.` }
      } catch (error) {
        return { available: false, reason: `PostgreSQL at ${shown(url)} cannot be used: ${reasonOf(error)}.` }
      }
    },
    async start({ database: wanted }) {
      const database = decodeURIComponent(new URL(url).pathname.slice(1)) || wanted
      try {
        const version = await ensureDatabase(url, database)
        const detail = `${shown(url)}  PostgreSQL ${version} external, database ${database}`
        return { url: urlWith(url, database), detail, stop: () => Promise.resolve() }
      } catch (error) {
        const message = `The database ${database} at ${shown(url)} cannot be used: ${reasonOf(error)}.`
        throw new AldeaError('ALDEA_BACKEND_UNHEALTHY', message, { cause: error })
      }
    },
  }
}

/** Without the password. */
function shown(url: string): string {
  return new URL(url).host
}

/** A refused connection to a name with several addresses has a code and no words. */
function reasonOf(error: unknown): string {
  return messageOf(error) || (error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason')
}
