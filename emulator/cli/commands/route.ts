import { systems } from '../../../fixtures/systems/index.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { resolveAttributes } from '../../alb/attributes.ts'
import {
  type RequestExplanation,
  type TargetGroupExplanation,
  explainRequest,
} from '../../alb/explain/explain-request.ts'
import { type AskedRequest, ROUTE_PATH } from '../../alb/explain/introspection.ts'
import { rulesOf } from '../../alb/explain/rules-only.ts'
import { AldeaError } from '../../core/errors.ts'
import { parseChoice } from '../../core/system.ts'
import { type CommandContext, textOption } from '../command.ts'
import { askEndpoint, endpointOf, findRunning } from '../running.ts'

/** Explains where a request would go: by the running environment, else by the system's own data. */
export async function run(context: CommandContext): Promise<number> {
  const asked = parseRequest(context)
  const running = await findRunning(context)
  const explanation = running ? await ask(endpointOf(running), asked) : explainByData(asked, context)
  const text =
    context.options['json'] === true
      ? JSON.stringify(explanation, undefined, 2)
      : describe(asked, explanation, running !== undefined)
  context.terminal.stdout.write(`${text}\n`)
  return 0
}

async function ask(endpoint: string, asked: AskedRequest): Promise<RequestExplanation> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) }
  // An environment of this version answers it.
  return (await askEndpoint(`${endpoint}${ROUTE_PATH}`, init)) as RequestExplanation
}

/** The ports that a start without options takes. */
const DEFAULT_PORTS = { http: 8080, https: 8443 } as const

function explainByData({ protocol, ...request }: AskedRequest, context: CommandContext): RequestExplanation {
  const [system] = systems
  const wanted = { stage: textOption(context, 'stage') ?? '', profile: textOption(context, 'profile') ?? '' }
  const { loadBalancer } = system.describe(parseChoice(system, { ...wanted, engine: 'scripted' }))
  return explainRequest(
    { ...request, client: '127.0.0.1' },
    {
      rules: rulesOf(loadBalancer),
      origin: { protocol, port: DEFAULT_PORTS[protocol] },
      attributes: resolveAttributes(),
      targetGroups: undefined,
      zones: loadBalancer.zones,
      ids: systemIds,
      nowMs: context.clock.now(),
    },
  )
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function parseRequest({ args: [method = '', address = ''], options }: CommandContext): AskedRequest {
  if (!METHOD.test(method)) throw usage(`"${method}" is no method.`, 'Give GET, POST, …')
  const { protocol, host, pathname, search } = parseUrl(address)
  const isSocket = protocol === 'ws:' || protocol === 'wss:'
  const lines = [options['header'] ?? []].flat().map(String)
  return {
    protocol: protocol === 'https:' || protocol === 'wss:' ? 'https' : 'http',
    method: method.toUpperCase(),
    url: `${pathname}${search}`,
    headers: {
      host,
      ...(isSocket && { connection: 'Upgrade', upgrade: 'websocket' }),
      ...Object.fromEntries(lines.map(parseHeader)),
    },
  }
}

function parseUrl(text: string): URL {
  try {
    return new URL(text, `http://localhost:${DEFAULT_PORTS.http}`)
  } catch {
    throw usage(`"${text}" is no URL.`, 'Give http://host/path, or a path alone.')
  }
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).trim().toLowerCase()
  if (colon === -1 || !METHOD.test(name)) throw usage(`"${line}" is no header.`, `Give -H 'Name: value'.`)
  return [name, line.slice(colon + 1).trim()]
}

function usage(message: string, hint: string): AldeaError {
  return new AldeaError('ALDEA_USAGE', message, { hint })
}

function describe(asked: AskedRequest, explanation: RequestExplanation, isRunning: boolean): string {
  const { rules, action, answer, targetGroups, headers } = explanation
  const isWeighted = targetGroups.length > 1
  const groups = targetGroups.map((group) => describeGroup(group, isWeighted))
  return [
    `${asked.method} ${asked.protocol}://${asked.headers['host'] ?? ''}${asked.url}`,
    ...rules.map((rule) => `  rule ${rule}`),
    `→ ${action}`,
    ...(answer === undefined ? [] : [`→ ${answer}`]),
    ...groups.flat(),
    ...(headers.length === 0 ? [] : ['headers for the target']),
    ...headers.map(indented),
    ...(isRunning ? [] : ['No environment is running: this is what the rules of the system say, without its targets.']),
  ].join('\n')
}

function describeGroup({ name, weight, routing, targets }: TargetGroupExplanation, isWeighted: boolean): string[] {
  const title = `target group ${name}${isWeighted ? `, weight ${weight}` : ''}`
  return [title, ...targets.map(({ id, zone, health }) => `  ${id}  ${zone}  ${health}`), ...routing.map(indented)]
}

function indented(line: string): string {
  return `  ${line}`
}
