import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** A Lua script that Redis keeps under its digest. */
export interface Script {
  readonly source: string
  readonly sha1: string
}

export function toScript(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}

/**
 * Runs the script by its digest, and sends it whole to a Redis that does not know it yet. Its names of keys come from
 * its arguments: they depend on what the script finds, so none is declared, and a cluster cannot run it.
 */
export async function runScript(redis: Redis, script: Script, args: readonly (string | number)[]): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, 0, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return redis.eval(script.source, 0, ...args)
  }
}
