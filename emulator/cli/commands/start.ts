import { systems } from '../../../fixtures/systems/index.ts'
import { keepAlive } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { startTopology, type Environment } from '../../core/environment.ts'
import { containerOptions } from '../../config/container-options.ts'
import type { BackendOptions, HttpsOptions } from '../../core/environment-options.ts'
import { AldeaError } from '../../core/errors.ts'
import { parseChoice, parseSystem } from '../../core/system.ts'
import { textOption, type CommandContext } from '../command.ts'
import { createReporter } from '../reporter/create-reporter.ts'

/** Starts an environment and stays until a signal. The exit code names the signal, as shells do. */
export async function run(context: CommandContext): Promise<number> {
  // Timers of the clock hold no process, and while parts start or stop there may be nothing else to do it.
  const alive = keepAlive()
  try {
    return await stay(context)
  } finally {
    alive.cancel()
  }
}

async function stay(context: CommandContext): Promise<number> {
  const { settings, clock } = context
  const system = parseSystem(systems, textOption(context, 'system'))
  const choice = parseChoice(system, {
    stage: textOption(context, 'stage'),
    profile: textOption(context, 'profile'),
    engine: textOption(context, 'engine') ?? 'whisper',
    engineKey: settings.forwardKey,
    engineModel: settings.forwardModel,
    device: textOption(context, 'device'),
    recordTo: textOption(context, 'record'),
    compat: textOption(context, 'compat'),
    cacheDir: settings.cacheDir,
  })
  const topology = system.describe(choice)
  const port = parsePort(textOption(context, 'port') ?? 'auto')
  // Whoever takes any port for the one address does not mean to have a fixed one for the other.
  const awsPort = parsePort(textOption(context, 'awsPort') ?? (port === 0 ? 'auto' : DEFAULT_AWS_PORT))
  const reporter = createReporter(context, { system, topology })
  const ended = nextSignal()

  const starting = startTopology({
    topology,
    name: textOption(context, 'name') ?? 'default',
    baseDir: settings.baseDir,
    cacheDir: settings.cacheDir,
    redisBinary: settings.redisBinary,
    host: textOption(context, 'host') ?? '127.0.0.1',
    port,
    https: parseHttps(context),
    awsPort,
    backends: parseBackends(context),
    hasColdStarts: context.options['coldStarts'] === true,
    logLevel: context.options['verbose'] === true ? 'debug' : 'warn',
    clock,
    ids: systemIds,
    onEvent: reporter.event,
  })
  const environment = await starting.finally(() => reporter.started())
  reporter.ready(environment)
  const exitCode = await ended
  await stopUnlessAskedAgain(environment)
  reporter.stopped()
  return exitCode
}

/** What people who run AWS on their machine are used to. */
const DEFAULT_AWS_PORT = '4566'

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** The exit code of the first signal. Listening starts now: a signal during the start stops right after it. */
function nextSignal(): Promise<number> {
  return new Promise((resolve) => {
    // Not `once`: a library that ends the process when nobody else listens would find nobody.
    for (const [signal, exitCode] of Object.entries(EXIT_CODES)) process.on(signal, () => resolve(exitCode))
  })
}

/**
 * A second signal while stopping ends the process at once, as if nobody listened; children die with it. `process.exit`
 * would end threads inside the inference library, which aborts the process.
 */
async function stopUnlessAskedAgain(environment: Environment): Promise<void> {
  for (const signal of Object.keys(EXIT_CODES)) {
    process.once(signal, () => {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  }
  await environment.stop()
}

const BACKEND_MODES = ['auto', 'container', 'embedded'] as const satisfies readonly BackendOptions['mode'][]

function parseBackends(context: CommandContext): BackendOptions {
  const wanted = textOption(context, 'backends') ?? 'auto'
  const mode = BACKEND_MODES.find((each) => each === wanted)
  if (mode === undefined) {
    throw new AldeaError('ALDEA_USAGE', `${wanted} is no way to run backends.`, {
      hint: `Known: ${BACKEND_MODES.join(', ')}.`,
    })
  }
  const given = { postgres: 'databaseUrl', redis: 'redisUrl', queue: 'sqsUrl' }
  const urls = Object.entries(given).flatMap(([kind, option]) => {
    const url = textOption(context, option)
    return url === undefined ? [] : [[kind, url] as const]
  })
  const { settings, options } = context
  const container = { ...containerOptions(settings), isReused: options['reuseContainers'] === true }
  return { mode, urls: Object.fromEntries(urls), container, awsCredentials: settings.awsCredentials }
}

function parseHttps(context: CommandContext): HttpsOptions | undefined {
  const port = textOption(context, 'httpsPort')
  const redirects = context.options['httpsRedirect'] === true
  if (port !== undefined) return { port: parsePort(port), redirects }
  if (!redirects) return undefined
  throw new AldeaError('ALDEA_USAGE', '--https-redirect has nowhere to redirect to.', {
    hint: 'Name a port with --https-port.',
  })
}

function parsePort(text: string): number {
  if (text === 'auto') return 0
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new AldeaError('ALDEA_USAGE', `${text} is not a port.`, { hint: 'Give a number from 0 to 65535, or auto.' })
}
