/** The programs of one PostgreSQL installation. */
export interface PostgresBinaries {
  /** `18.4` */
  readonly version: string
  readonly major: number
  /** Path or name of `initdb` or `postgres`, fit to be spawned. */
  program(name: 'initdb' | 'postgres'): string
}

/** SQL of the services runs on these. */
export const OLDEST_MAJOR = 15

/** `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → `15.18` */
export function parseVersion(text: string): { version: string; major: number } | undefined {
  const version = /(\d+)(?:\.\d+)*/.exec(text)
  return version ? { version: version[0], major: Number(version[1]) } : undefined
}
