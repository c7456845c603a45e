import { aldeaCommands } from '../../fixtures/systems/commands/index.ts'
import { systems } from '../../fixtures/systems/index.ts'
import type { Command } from './command.ts'
import { listOf, systemOptions } from './system-options.ts'

const [defaultSystem] = systems

/** Every command: the emulator's own, then those of the systems. */
export const commands: readonly Command[] = [
  {
    name: 'start',
    summary: 'Start a whole system on this machine and keep it running',
    args: [],
    options: [
      ...systemOptions,
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
      { flags: '--reuse-containers', description: 'leave containers running at the end, for the next start' },
      { flags: '--json', description: 'print one event per line as JSON' },
    ],
    examples: [
      'aldea-local start',
      'aldea-local start --stage staging --port auto',
      'aldea-local start --replace ws-proxy=http://127.0.0.1:8000',
    ],
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'exec',
    summary: 'Run a program beside a fresh system that it finds in its variables, and end with its exit code',
    args: [{ name: 'command...', description: 'the program and its arguments, after --' }],
    options: systemOptions,
    examples: ['aldea-local exec -- npm test', 'aldea-local exec --engine scripted -- pytest -q'],
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'env',
    summary: 'Print the variables by which other programs find a running environment',
    args: [],
    options: [
      { flags: '--name <name>', description: 'which running environment', default: 'default' },
      { flags: '--service <name>', description: 'what this service is started with, for a program in its place' },
      { flags: '--dotenv', description: 'print NAME=value lines, as .env files and docker run --env-file take them' },
      { flags: '--json', description: 'print one JSON object instead of shell lines' },
    ],
    examples: ['eval "$(aldea-local env)"', 'aldea-local env --json', 'eval "$(aldea-local env --service ws-proxy)"'],
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
        description: `which drawing, when none is running: ${listOf(defaultSystem.profiles)}`,
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
