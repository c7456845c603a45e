import type { RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { LoadBalancer } from '../load-balancer.ts'
import type { Metrics } from '../metrics/metrics.ts'

export interface BalancerParts {
  readonly balancer: LoadBalancer
  readonly metrics: Metrics
}

/**
 * What the balancer tells somebody in another process; nothing is changed or counted by it.
 *
 * - `GET /_aldea/metrics?minutes=5`: `{ "datapoints": [ … ] }`
 * - `POST /_aldea/route` with `{ "protocol", "method", "url", "headers" }`: where such a request would go, and why
 */
export function createBalancerIntrospection(
  parts: () => BalancerParts | undefined,
): ReadonlyMap<string, RequestListener> {
  return new Map<string, RequestListener>([
    [
      METRICS_PATH,
      (request, response) => {
        const running = parts()
        const { searchParams } = new URL(request.url ?? '', 'http://balancer')
        const minutes = Number(searchParams.get('minutes') ?? DEFAULT_MINUTES)
        if (!running) return answer(response, 503, { message: 'The load balancer has not started yet.' })
        if (!Number.isInteger(minutes) || minutes < 1)
          return answer(response, 400, { message: 'minutes must be 1 or more.' })
        answer(response, 200, { datapoints: running.metrics.read(minutes) })
      },
    ],
    [
      ROUTE_PATH,
      (request, response) => {
        const running = parts()
        if (!running) return answer(response, 503, { message: 'The load balancer has not started yet.' })
        text(request).then(
          (body) => {
            const asked = parseAsked(body)
            if (asked) answer(response, 200, running.balancer.explain(asked))
            else answer(response, 400, { message: 'protocol, method, url and headers are needed.' })
          },
          () => response.destroy(),
        )
      },
    ],
  ])
}

export const METRICS_PATH = '/_aldea/metrics'
export const ROUTE_PATH = '/_aldea/route'

const DEFAULT_MINUTES = 5

/** A request that is asked about. */
export interface AskedRequest {
  readonly protocol: 'http' | 'https'
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

function parseAsked(body: string): AskedRequest | undefined {
  const parsed = parseJson(body)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { protocol, method, url, headers } = parsed as Record<string, unknown>
  if (protocol !== 'http' && protocol !== 'https') return undefined
  if (typeof method !== 'string' || typeof url !== 'string') return undefined
  if (typeof headers !== 'object' || headers === null) return undefined
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])
  return { protocol, method, url, headers: Object.fromEntries(entries) as Record<string, string> }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function answer(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(content))
}
