import type { IncomingHttpHeaders } from 'node:http'
import type { Exchange } from '../exchange.ts'
import type { Explained } from './explained.ts'
import { describeAction, describeRule, failureTexts } from './texts.ts'

/** How an answer came about, as headers of it, as they are when its head is written. */
export function explanationHeaders(exchange: Exchange, explained: Explained, status: number): [string, string][] {
  const { rule, action, targetGroup, registration, failure, targetStatus } = exchange
  const headers: [string, string | undefined][] = [
    ['x-aldea-rule', String(rule ?? 'none asked')],
    ['x-aldea-rules', explained.rules.map(describeRule).join('; ') || undefined],
    ['x-aldea-action', action && describeAction(action)],
    ['x-aldea-target-group', targetGroup],
    ['x-aldea-routing', describeRouting(explained)],
    ['x-aldea-target', registration && `${registration.target.id} in ${registration.target.zone}`],
    ['x-aldea-headers', registration && describeChanges(explained.received, exchange.request.headers).join('; ')],
    ['x-aldea-answered-by', targetStatus === undefined ? 'load balancer' : 'target'],
    ['x-aldea-why', failure && `${status}: ${failureTexts[failure]} (${failure})`],
  ]
  return headers.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, toHeader(value)]]))
}

/** As lines of a head that no server writes, each with its line break; none for whoever did not ask. */
export function explanationLines(exchange: Exchange, status: number): string {
  const { explained } = exchange
  if (!explained) return ''
  return explanationHeaders(exchange, explained, status)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

export function describeRouting({ node, routing }: Pick<Explained, 'node' | 'routing'>): string | undefined {
  if (!routing) return undefined
  const { algorithm, routable, isFailOpen } = routing
  const among = routable.length === 0 ? 'no target' : routable.join(', ')
  const open = isFailOpen ? '; too few are healthy, so unhealthy ones get requests too' : ''
  return `node ${node ?? '-'} chooses by ${algorithm} from ${among}${open}`
}

/** What the target gets that the client did not send, and the other way round. */
export function describeChanges(received: IncomingHttpHeaders, forwarded: IncomingHttpHeaders): string[] {
  const changed = Object.entries(forwarded).filter(([name, value]) => String(received[name]) !== String(value))
  const dropped = Object.keys(received).filter((name) => forwarded[name] === undefined)
  return [
    ...changed.map(([name, value]) => `${received[name] === undefined ? '+' : '~'}${name}: ${String(value)}`),
    ...dropped.map((name) => `-${name}`),
  ]
}

/** A header's value is one line of visible characters. */
function toHeader(text: string): string {
  return text.replaceAll(/[^ -~]/g, (char) => `%${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
}
