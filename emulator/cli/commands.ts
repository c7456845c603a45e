import { aldeaCommands } from '../../fixtures/systems/commands/index.ts'
import { systems } from '../../fixtures/systems/index.ts'
import type { Command } from './command.ts'

const [defaultSystem] = systems

/** Every command: the emulator's own, then those of the systems. */
export const commands: readonly Command[] = [
  {
    name: 'start',
    summary: 'Start a whole system on this machine and keep it running',
    args: [],
    options: [
      { flags: '--system <name>', description: `which system: ${list(systems)}`, default: defaultSystem.name },
      {
        flags: '--stage <name>',
        description: `which stage: ${defaultSystem.stages.join(', ')}`,
        default: defaultSystem.stages[0] ?? '',
      },
      {
        flags: '--profile <name>',
        description: `which drawing: ${list(defaultSystem.profiles)}`,
        default: defaultSystem.profiles[0]?.name ?? '',
      },
      {
        flags: '--name <name>',
        description: 'name of this running copy; its state is kept under it',
        default: 'default',
      },
      { flags: '--port <number>', description: 'port of the load balancer, or auto', default: '8080' },
      { flags: '--host <address>', description: 'address of the load balancer', default: '127.0.0.1' },
      { flags: '--https-port <number>', description: 'answer HTTPS and HTTP/2 on this port too, or auto' },
      { flags: '--https-redirect', description: 'answer plain HTTP with a redirect to HTTPS' },
      {
        flags: '--aws-port <number>',
        description: 'port that speaks SQS and Lambda: 4566, or auto when --port is',
      },
      {
        flags: '--backends <mode>',
        description: 'what runs PostgreSQL, Redis and the queue: auto, container, embedded',
        default: 'auto',
      },
      { flags: '--reuse-containers', description: 'leave containers running at the end, for the next start' },
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
      { flags: '--cold-starts', description: 'give every event of a function a fresh instance' },
      { flags: '--verbose', description: 'show the log of every service' },
      { flags: '--json', description: 'print one event per line as JSON' },
    ],
    examples: ['aldea-local start', 'aldea-local start --stage staging --port auto'],
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'env',
    summary: 'Print the variables by which other programs find a running environment',
    args: [],
    options: [
      { flags: '--name <name>', description: 'which running environment', default: 'default' },
      { flags: '--json', description: 'print one JSON object instead of shell lines' },
    ],
    examples: ['eval "$(aldea-local env)"', 'aldea-local env --json'],
    load: () => import('./commands/env.ts'),
  },
  {
    name: 'route',
    summary: 'Explain where a request would go and why, without sending it',
    args: [
      { name: 'method', description: 'GET, POST, …' },
      { name: 'url', description: 'http://, https://, ws:// or wss://, or a path alone' },
    ],
    options: [
      { flags: '-H, --header <line...>', description: 'a header to send: "Name: value"' },
      { flags: '--name <name>', description: 'which running environment', default: 'default' },
      {
        flags: '--stage <name>',
        description: `which stage, when none is running: ${defaultSystem.stages.join(', ')}`,
        default: defaultSystem.stages[0] ?? '',
      },
      {
        flags: '--profile <name>',
        description: `which drawing, when none is running: ${list(defaultSystem.profiles)}`,
        default: defaultSystem.profiles[0]?.name ?? '',
      },
      { flags: '--json', description: 'print one JSON object' },
    ],
    examples: [
      'aldea-local route GET http://backend.localhost:8080/plans',
      "aldea-local route GET /v1/listen -H 'Upgrade: websocket'",
    ],
    load: () => import('./commands/route.ts'),
  },
  {
    name: 'metrics',
    summary: 'Print what the load balancer has counted, minute by minute, under the names of CloudWatch',
    args: [],
    options: [
      { flags: '--name <name>', description: 'which running environment', default: 'default' },
      { flags: '--minutes <number>', description: 'how far to look back, up to 180', default: '5' },
      { flags: '--metric <name>', description: 'only this one: RequestCount, TargetResponseTime, …' },
      { flags: '--all', description: 'by target group and zone too' },
      { flags: '--json', description: 'print one JSON array' },
    ],
    examples: ['aldea-local metrics', 'aldea-local metrics --metric TargetResponseTime --all --minutes 60'],
    load: () => import('./commands/metrics.ts'),
  },
  {
    name: 'trust',
    summary: 'Say how this machine comes to trust the certificates of --https-port; changes nothing itself',
    args: [],
    options: [{ flags: '--file', description: 'print the path of the authority and nothing else' }],
    examples: ['aldea-local trust', 'curl --cacert "$(aldea-local trust --file)" https://api.localhost:8443/health'],
    load: () => import('./commands/trust.ts'),
  },
  ...aldeaCommands,
]

function list(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(', ')
}
