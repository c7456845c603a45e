import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../core/replace-file.ts'
import { type InstalledServer, type InstalledServerOptions, startInstalledServer } from './installed-server.ts'
import type { RedisSuccessor } from './port.ts'

/** A primary, and while a failover is under way its replica. */
export interface Succession {
  /** Of the primary. */
  readonly port: number
  /** Runs a replica until it is promoted or given up. */
  startSuccessor(): Promise<RedisSuccessor>
  kill(): void
  stop(): Promise<void>
}

type Line = Omit<InstalledServerOptions, 'folder' | 'replicaOf'>

/**
 * Starts the server whose data are the latest. There are two folders, because primary and replica run side by side for a
 * moment; a file in the first one says whose data count.
 */
export async function startSuccession(stateDir: string, options: Line): Promise<Succession> {
  const folders = [stateDir, `${stateDir}-successor`] as const
  const markPath = join(stateDir, 'primary')
  const mark = await readFile(markPath, 'utf8').catch(() => '')
  let current: 0 | 1 = mark.trim() === SECOND ? 1 : 0
  let primary = await startInstalledServer({ ...options, folder: folders[current] })
  let replica: InstalledServer | undefined
  let isStopping = false

  async function discard(): Promise<void> {
    const given = replica
    replica = undefined
    await given?.stop()
  }

  return {
    get port() {
      return primary.port
    },
    async startSuccessor() {
      const next = current === 0 ? 1 : 0
      const folder = folders[next]
      await rm(join(folder, 'data'), { recursive: true, force: true })
      replica = await startInstalledServer({ ...options, port: 0, folder, replicaOf: primary.port })
      const successor = replica
      if (isStopping) await discard()
      return {
        async promote() {
          if (isStopping || replica !== successor) return
          await successor.becomePrimary()
          // Nobody writes to it before this is kept: a start after a kill finds the same data in either folder.
          await replaceFile(markPath, next === 1 ? SECOND : FIRST, 'kill')
          const old = primary
          primary = successor
          current = next
          replica = undefined
          await old.stop()
        },
        discard,
      }
    },
    kill: () => primary.kill(),
    async stop() {
      isStopping = true
      await Promise.all([primary.stop(), discard()])
    },
  }
}

const FIRST = 'first'
const SECOND = 'second'
