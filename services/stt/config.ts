import { join } from 'node:path'
import { packageRoot } from '../wire/package-root.ts'
import type { Variables } from '../wire/runtime.ts'

/** What a speech server needs to know. */
export interface SttConfig {
  readonly engine: EngineConfig
  /** Shown in /health and in the log, to tell the servers of one system apart. */
  readonly serverName: string
  readonly maxAudioSeconds: number
  readonly maxBodyBytes: number
  /** A live stream without audio and without KeepAlive ends after this. */
  readonly idleTimeoutMs: number
}

export type EngineConfig = WhisperConfig | ScriptedConfig

export interface WhisperConfig {
  readonly kind: 'whisper'
  readonly modelDir: string
  readonly vadModelFile: string
  readonly workers: number
  readonly threadsPerWorker: number
}

export interface ScriptedConfig {
  readonly kind: 'scripted'
  readonly scriptFile: string
}

const DEFAULTS = {
  // The limit of the public API.
  maxAudioSeconds: 600,
  maxBodyBytes: 100 * 1024 * 1024,
  idleTimeoutMs: 10_000,
  // One thread each: two such workers do more than one worker with two threads.
  workers: 2,
  threads: 1,
} as const

/**
 * ENGINE `whisper` (default: MODEL_DIR, VAD_MODEL, WORKERS, THREADS) or `scripted` (SCRIPT_FILE); SERVER_NAME,
 * MAX_AUDIO_SECONDS, MAX_BODY_BYTES, IDLE_TIMEOUT_MS.
 * @throws Error that lists everything wrong at once.
 */
export function parseConfig(variables: Variables): SttConfig {
  const problems: string[] = []

  function positive(name: string, otherwise: number): number {
    const value = variables[name]
    if (!value) return otherwise
    const number = Number(value)
    if (Number.isInteger(number) && number > 0) return number
    problems.push(`${name} is "${value}"; it must be a whole number above 0.`)
    return otherwise
  }

  function engine(): EngineConfig {
    const kind = variables['ENGINE'] || 'whisper'
    if (kind === 'scripted') {
      const scriptFile = variables['SCRIPT_FILE'] ?? ''
      if (!scriptFile) problems.push('SCRIPT_FILE is missing; the scripted engine reads its texts from it.')
      return { kind, scriptFile }
    }
    if (kind !== 'whisper') problems.push(`ENGINE is "${kind}"; it must be whisper or scripted.`)
    return {
      kind: 'whisper',
      modelDir: variables['MODEL_DIR'] || bundledModel('whisper-tiny.en'),
      vadModelFile: variables['VAD_MODEL'] || join(bundledModel('silero-vad'), 'model.onnx'),
      workers: positive('WORKERS', DEFAULTS.workers),
      threadsPerWorker: positive('THREADS', DEFAULTS.threads),
    }
  }

  const config: SttConfig = {
    engine: engine(),
    serverName: variables['SERVER_NAME'] || 'stt',
    maxAudioSeconds: positive('MAX_AUDIO_SECONDS', DEFAULTS.maxAudioSeconds),
    maxBodyBytes: positive('MAX_BODY_BYTES', DEFAULTS.maxBodyBytes),
    idleTimeoutMs: positive('IDLE_TIMEOUT_MS', DEFAULTS.idleTimeoutMs),
  }
  if (problems.length > 0) throw new Error(`The speech server cannot start: ${problems.join(' ')}`)
  return config
}

/** A model that travels with the package. */
function bundledModel(name: string): string {
  return join(packageRoot, 'fixtures', 'models', name)
}
