import { join } from 'node:path'
import { packageRoot } from '../wire/package-root.ts'
import type { Variables } from '../wire/runtime.ts'
import { parseDevice, WANTED_DEVICES, type WantedDevice } from '../wire/device.ts'

/** What a speech server needs to know. */
export interface SttConfig {
  readonly engine: EngineConfig
  /** Shown in /health and in the log, to tell the servers of one system apart. */
  readonly serverName: string
  readonly maxAudioSeconds: number
  readonly maxBodyBytes: number
  /** A live stream without audio and without KeepAlive ends after this. */
  readonly idleTimeoutMs: number
  /** Where to write down what the engine says; undefined: nowhere. */
  readonly recordTo: string | undefined
}

export type EngineConfig = WhisperConfig | ForwardConfig | CassetteConfig | ScriptedConfig

export interface WhisperConfig {
  readonly kind: 'whisper'
  readonly modelDir: string
  readonly vadModelFile: string
  readonly workers: number
  readonly threadsPerWorker: number
  readonly device: WantedDevice
}

export interface ForwardConfig {
  readonly kind: 'forward'
  /** Other speech servers, tried in this order; the path of each says which API it speaks. */
  readonly urls: readonly URL[]
  readonly key: string | undefined
  readonly model: string | undefined
  readonly vadModelFile: string
}

export interface CassetteConfig {
  readonly kind: 'cassette'
  readonly file: string
  readonly pace: 'instant' | 'recorded'
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
 * ENGINE `whisper` (default: MODEL_DIR, VAD_MODEL, WORKERS, THREADS, DEVICE), `forward` (FORWARD_TO: URLs with commas between them; FORWARD_KEY,
 * FORWARD_MODEL, VAD_MODEL), `cassette` (CASSETTE_FILE, CASSETTE_PACE) or `scripted` (SCRIPT_FILE); SERVER_NAME, MAX_AUDIO_SECONDS,
 * MAX_BODY_BYTES, IDLE_TIMEOUT_MS, RECORD_TO.
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

  function urls(name: string): URL[] {
    const given = (variables[name] ?? '').split(',').filter(Boolean)
    if (given.length === 0) problems.push(`${name} is missing; it lists the servers to forward to.`)
    return given.flatMap((each) => {
      const url = URL.canParse(each) ? new URL(each) : undefined
      if (url?.protocol === 'http:' || url?.protocol === 'https:') return [url]
      problems.push(`${name} names "${each}", which is no http URL.`)
      return []
    })
  }

  function device(): WantedDevice {
    const text = variables['DEVICE'] || 'auto'
    const wanted = parseDevice(text)
    if (wanted === undefined) problems.push(`DEVICE is "${text}"; it must be one of ${WANTED_DEVICES.join(', ')}.`)
    return wanted ?? 'auto'
  }

  function cassette(): CassetteConfig {
    const file = variables['CASSETTE_FILE'] ?? ''
    const pace = variables['CASSETTE_PACE'] || 'instant'
    if (!file) problems.push('CASSETTE_FILE is missing; the cassette engine says what is recorded there.')
    if (pace === 'instant' || pace === 'recorded') return { kind: 'cassette', file, pace }
    problems.push(`CASSETTE_PACE is "${pace}"; it must be instant or recorded.`)
    return { kind: 'cassette', file, pace: 'instant' }
  }

  function engine(): EngineConfig {
    const kind = variables['ENGINE'] || 'whisper'
    if (kind === 'scripted') {
      const scriptFile = variables['SCRIPT_FILE'] ?? ''
      if (!scriptFile) problems.push('SCRIPT_FILE is missing; the scripted engine reads its texts from it.')
      return { kind, scriptFile }
    }
    const vadModelFile = variables['VAD_MODEL'] || join(bundledModel('silero-vad'), 'model.onnx')
    if (kind === 'forward') {
      const [key, model] = [variables['FORWARD_KEY'] || undefined, variables['FORWARD_MODEL'] || undefined]
      return { kind, urls: urls('FORWARD_TO'), key, model, vadModelFile }
    }
    if (kind === 'cassette') return cassette()
    if (kind !== 'whisper') problems.push(`ENGINE is "${kind}"; it must be whisper, forward, cassette or scripted.`)
    return {
      kind: 'whisper',
      modelDir: variables['MODEL_DIR'] || bundledModel('whisper-tiny.en'),
      vadModelFile,
      workers: positive('WORKERS', DEFAULTS.workers),
      threadsPerWorker: positive('THREADS', DEFAULTS.threads),
      device: device(),
    }
  }

  const config: SttConfig = {
    engine: engine(),
    serverName: variables['SERVER_NAME'] || 'stt',
    maxAudioSeconds: positive('MAX_AUDIO_SECONDS', DEFAULTS.maxAudioSeconds),
    maxBodyBytes: positive('MAX_BODY_BYTES', DEFAULTS.maxBodyBytes),
    idleTimeoutMs: positive('IDLE_TIMEOUT_MS', DEFAULTS.idleTimeoutMs),
    recordTo: variables['RECORD_TO'] || undefined,
  }
  if (problems.length > 0) throw new Error(`The speech server cannot start: ${problems.join(' ')}`)
  return config
}

/** A model that travels with the package. */
function bundledModel(name: string): string {
  return join(packageRoot, 'fixtures', 'models', name)
}
