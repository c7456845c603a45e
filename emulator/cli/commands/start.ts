import { whileAlive } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { containerOptions } from '../../config/container-options.ts'
import { startTopology } from '../../core/environment.ts'
import type { HttpsOptions } from '../../core/environment-options.ts'
import { AldeaError } from '../../core/errors.ts'
import { textOption, type CommandContext } from '../command.ts'
import { createReporter } from '../reporter/create-reporter.ts'
import { nextSignal, stopUnlessAskedAgain } from '../signals.ts'
import { describeSystem } from '../../start-environment.ts'
import { parseBackends, parseReplace, wantedSystem } from '../system-options.ts'

/** Starts an environment and stays until a signal. The exit code names the signal, as shells do. */
export function run(context: CommandContext): Promise<number> {
  return whileAlive(() => stay(context))
}

async function stay(context: CommandContext): Promise<number> {
  const { settings, clock } = context
  const { system, topology } = describeSystem(wantedSystem(context), settings)
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
    backends: {
      ...parseBackends(context),
      container: { ...containerOptions(settings), isReused: context.options['reuseContainers'] === true },
      awsCredentials: settings.awsCredentials,
    },
    replace: parseReplace(context),
    hasNetworkTargets: context.options['networkTargets'] === true,
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
