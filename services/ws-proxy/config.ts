import { Type } from 'typebox'
import { type Compat, CompatVariable } from '../wire/compat.ts'
import type { Variables } from '../wire/runtime.ts'
import { parseSpeechServers, type SpeechServer, SpeechServersVariable } from '../wire/speech-servers.ts'
import { readVariables } from '../wire/variables.ts'

export interface WsProxyConfig {
  readonly redisUrl: string
  readonly speechServers: readonly SpeechServer[]
  readonly compat: Compat
  /** A stream without audio and without KeepAlive ends after this. */
  readonly idleTimeoutMs: number
  readonly maxFrameBytes: number
  readonly stopDeadlineMs: number
}

const Schema = Type.Object({
  REDIS_URL: Type.String({ pattern: '^rediss?://' }),
  STT_SERVERS: SpeechServersVariable,
  COMPAT: CompatVariable,
  // Deepgram's; Aldea publishes none (aldea-api §13, question 5).
  IDLE_TIMEOUT_MS: Type.Integer({ minimum: 1, default: 10_000 }),
  MAX_FRAME_BYTES: Type.Integer({ minimum: 1, default: 16 * 1024 * 1024 }),
  STOP_DEADLINE_MS: Type.Integer({ minimum: 0, default: 300 }),
})

/** @throws Error naming every problem. */
export function readConfig(variables: Variables): WsProxyConfig {
  const values = readVariables(Schema, variables)
  return {
    redisUrl: values.REDIS_URL,
    speechServers: parseSpeechServers(values.STT_SERVERS),
    compat: values.COMPAT,
    idleTimeoutMs: values.IDLE_TIMEOUT_MS,
    maxFrameBytes: values.MAX_FRAME_BYTES,
    stopDeadlineMs: values.STOP_DEADLINE_MS,
  }
}
