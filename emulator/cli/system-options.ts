import { systems } from '../../fixtures/systems/index.ts'
import type { BackendOptions } from '../core/environment-options.ts'
import type { ExternalServices } from '../core/external-services.ts'
import { AldeaError } from '../core/errors.ts'
import type { WantedSystem } from '../start-environment.ts'
import { textOption, type CommandContext, type Option } from './command.ts'

const [defaultSystem] = systems

/** Options of every command that starts a system: what it is, and what runs beneath it. */
export const systemOptions: readonly Option[] = [
  { flags: '--system <name>', description: `which system: ${listOf(systems)}`, default: defaultSystem.name },
  {
    flags: '--stage <name>',
    description: `which stage: ${defaultSystem.stages.join(', ')}`,
    default: defaultSystem.stages[0] ?? '',
  },
  {
    flags: '--profile <name>',
    description: `which drawing: ${listOf(defaultSystem.profiles)}`,
    default: defaultSystem.profiles[0]?.name ?? '',
  },
  {
    flags: '--backends <mode>',
    description: 'what runs PostgreSQL, Redis and the queue: auto, container, embedded',
    default: 'auto',
  },
  { flags: '--database-url <url>', description: 'a PostgreSQL that is already there' },
  { flags: '--redis-url <url>', description: 'a Redis that is already there' },
  { flags: '--sqs-url <url>', description: 'an SQS endpoint that is already there' },
  {
    flags: '--engine <name>',
    description:
      'speech engine: whisper, whisper:NAME or whisper:FOLDER, forward:URL,… to other servers, cassette:FILE as recorded, scripted:FILE by file',
    default: 'whisper',
  },
  {
    flags: '--device <name>',
    description: 'where whisper computes: auto, cpu, cuda or webgpu; the CPU where that cannot be had',
    default: 'auto',
  },
  { flags: '--record <file>', description: 'write what the engine says onto a cassette' },
  {
    flags: '--compat <name>',
    description: 'whose shapes the speech API answers in: aldea, or deepgram, which typed SDKs want',
    default: 'aldea',
  },
  {
    flags: '--replace <service=url...>',
    description:
      'a program of your own, at that address, in the place of a service; env --service prints what it needs',
  },
  {
    flags: '--network-targets',
    description: 'have the load balancer reach services over TCP, as the real one does, and not within the process',
  },
  { flags: '--cold-starts', description: 'give every event of a function a fresh instance' },
  { flags: '--verbose', description: 'show the log of every service' },
]

export function listOf(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(', ')
}

/** Which system was asked for. */
export function wantedSystem(context: CommandContext): WantedSystem {
  return {
    system: textOption(context, 'system'),
    stage: textOption(context, 'stage'),
    profile: textOption(context, 'profile'),
    engine: textOption(context, 'engine'),
    device: textOption(context, 'device'),
    recordTo: textOption(context, 'record'),
    compat: textOption(context, 'compat'),
  }
}

/** Several addresses of a service are separated by commas, or given one by one. */
export function parseReplace({ options }: CommandContext): ExternalServices {
  const external: Record<string, readonly string[]> = {}
  for (const entry of [options['replace'] ?? []].flat().map(String)) {
    const [, service = '', addresses] = /^([^=]*)(?:=(.*))?$/s.exec(entry) ?? []
    external[service] = [...(external[service] ?? []), ...(addresses?.split(',') ?? [])]
  }
  return external
}

const BACKEND_MODES = ['auto', 'container', 'embedded'] as const satisfies readonly BackendOptions['mode'][]

/** @throws ALDEA_USAGE naming what there is */
export function parseBackends(context: CommandContext): Pick<BackendOptions, 'mode' | 'urls'> {
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
  return { mode, urls: Object.fromEntries(urls) }
}
