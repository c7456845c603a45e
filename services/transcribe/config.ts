import { Type } from 'typebox'
import { type Compat, CompatVariable } from '../wire/compat.ts'
import type { Variables } from '../wire/runtime.ts'
import { parseSpeechServers, type SpeechServer, SpeechServersVariable } from '../wire/speech-servers.ts'
import { readVariables } from '../wire/variables.ts'

export interface TranscribeConfig {
  readonly redisUrl: string
  readonly speechServers: readonly SpeechServer[]
  readonly compat: Compat
  readonly maxBodyBytes: number
  /** For fetching audio that a client names by URL. */
  readonly fetchTimeoutMs: number
  readonly stopDeadlineMs: number
}

const Schema = Type.Object({
  REDIS_URL: Type.String({ pattern: '^rediss?://' }),
  STT_SERVERS: SpeechServersVariable,
  COMPAT: CompatVariable,
  // Ten minutes, the longest file the API takes, of CD sound are 106 MB; speech servers set their own limit too.
  MAX_BODY_BYTES: Type.Integer({ minimum: 1, default: 200 * 1024 * 1024 }),
  FETCH_TIMEOUT_MS: Type.Integer({ minimum: 1, default: 30_000 }),
  STOP_DEADLINE_MS: Type.Integer({ minimum: 0, default: 300 }),
})

/** @throws Error naming every problem. */
export function readConfig(variables: Variables): TranscribeConfig {
  const values = readVariables(Schema, variables)
  return {
    redisUrl: values.REDIS_URL,
    speechServers: parseSpeechServers(values.STT_SERVERS),
    compat: values.COMPAT,
    maxBodyBytes: values.MAX_BODY_BYTES,
    fetchTimeoutMs: values.FETCH_TIMEOUT_MS,
    stopDeadlineMs: values.STOP_DEADLINE_MS,
  }
}
