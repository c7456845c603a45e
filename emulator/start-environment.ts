import { systems } from '../fixtures/systems/index.ts'
import { systemClock, whileAlive } from '../services/wire/clock.ts'
import { systemIds } from '../services/wire/ids.ts'
import type { ContainerOptions } from './backends/container/options.ts'
import { containerOptions } from './config/container-options.ts'
import { loadSettings, type Settings } from './config/settings.ts'
import { type Environment, startTopology } from './core/environment.ts'
import type { BackendOptions, EnvironmentOptions } from './core/environment-options.ts'
import { openTemporaryDir, type TemporaryDir } from './core/temporary-dir.ts'
import { parseChoice, parseSystem, type System, type Topology, type WantedChoice } from './core/system.ts'

/**
 * What to start. Whatever is not said is as `aldea-local start` has it, except that ports are any free ones and nothing is
 * kept, so that as many run beside each other as somebody likes.
 */
export interface StartOptions extends Partial<Omit<EnvironmentOptions, 'topology' | 'backends'>>, WantedSystem {
  /** Started as it is, whatever else is said of system, stage, profile and engine. */
  readonly topology?: Topology
  readonly backends?: Partial<Omit<BackendOptions, 'container'>> & { readonly container?: Partial<ContainerOptions> }
  /** Holds the folder of its state, for the next start; absent, a temporary one that goes when the environment stops. */
  readonly baseDir?: string
}

/** Of several systems, stages and drawings one, and what is the user's to choose in it. */
export interface WantedSystem extends Partial<WantedChoice> {
  /** The first one when absent. */
  readonly system?: string | undefined
}

export interface StartedEnvironment extends Environment {
  /** An API key that works. */
  readonly key: string
  /** Ends every part. Whoever asks again waits for the same end. */
  stop(): Promise<void>
  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a whole system in this process, and resolves when all of it answers.
 * @throws AldeaError, whose codes are in docs/errors.md; nothing runs then
 */
export async function startEnvironment(options: StartOptions = {}): Promise<StartedEnvironment> {
  const settings = loadSettings()
  const { name = 'default', host = '127.0.0.1', port = 0, awsPort = 0, logLevel = 'warn' } = options
  const { clock = systemClock, ids = systemIds, cacheDir = settings.cacheDir, https, onEvent } = options
  const { topology = describeSystem(options, settings).topology, redisBinary = settings.redisBinary } = options
  const { baseDir, replace, hasColdStarts, hasNetworkTargets } = options
  const state: StateFolder = baseDir === undefined ? await openTemporaryDir() : { path: baseDir }
  const started = whileAlive(() =>
    startTopology({
      topology,
      name,
      baseDir: state.path,
      cacheDir,
      host,
      port,
      https,
      awsPort,
      backends: {
        mode: 'auto',
        urls: {},
        awsCredentials: settings.awsCredentials,
        ...options.backends,
        container: {
          ...containerOptions(settings),
          isThrowAway: state.remove !== undefined,
          ...options.backends?.container,
        },
      },
      redisBinary,
      logLevel,
      clock,
      ids,
      ...(replace && { replace }),
      ...(hasNetworkTargets !== undefined && { hasNetworkTargets }),
      ...(hasColdStarts !== undefined && { hasColdStarts }),
      ...(onEvent && { onEvent }),
    }),
  )
  const environment = await started.catch(async (error: unknown) => {
    await state.remove?.()
    throw error
  })
  const end = async (): Promise<void> => {
    try {
      await environment.stop()
    } finally {
      await state.remove?.()
    }
  }
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= whileAlive(end))
  return { ...environment, key: topology.demo.key, stop, [Symbol.asyncDispose]: stop }
}

/** `remove` is there where it is not to stay. */
type StateFolder = Pick<TemporaryDir, 'path'> & Partial<Pick<TemporaryDir, 'remove'>>

/** @throws ALDEA_USAGE naming what there is */
export function describeSystem(
  options: WantedSystem,
  settings: Settings,
): { readonly system: System; readonly topology: Topology } {
  const { engine = 'whisper', engineKey = settings.forwardKey, engineModel = settings.forwardModel } = options
  const { stage, profile, device, recordTo, compat, cacheDir = settings.cacheDir } = options
  const system = parseSystem(systems, options.system)
  const wanted = { stage, profile, engine, engineKey, engineModel, device, recordTo, compat, cacheDir }
  return { system, topology: system.describe(parseChoice(system, wanted)) }
}
