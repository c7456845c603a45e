import type { RedirectAction } from '../model.ts'
import type { RequestFacts } from './facts.ts'

/** The listener's own side of a URL. */
export interface Origin {
  readonly protocol: 'http' | 'https'
  readonly port: number
}

/** A redirect as it is answered. */
export interface Redirect {
  readonly type: 'redirect'
  readonly statusCode: 301 | 302
  readonly location: string
}

/**
 * Works out where a redirect leads (aws-behaviour §1.3): the port is always written, an empty query leaves no question
 * mark.
 */
export function compileRedirect(action: RedirectAction, origin: Origin): (facts: RequestFacts) => Redirect {
  const { statusCode } = action
  const protocol = compileTemplate((action.protocol ?? '#{protocol}').toLowerCase(), origin)
  const host = compileTemplate(action.host ?? '#{host}', origin)
  const port = compileTemplate(action.port ?? '#{port}', origin)
  const path = compileTemplate(action.path ?? '/#{path}', origin)
  const query = compileTemplate(action.query ?? '#{query}', origin)

  return (facts) => {
    const base = `${protocol(facts)}://${host(facts)}:${port(facts)}${path(facts)}`
    const search = query(facts)
    return { type: 'redirect', statusCode, location: search === '' ? base : `${base}?${search}` }
  }
}

/** What the balancer puts in for its keywords. */
function compileTemplate(template: string, { protocol, port }: Origin): (facts: RequestFacts) => string {
  const parts = template.split(/(#\{(?:protocol|host|port|path|query)\})/)
  if (parts.length === 1) return () => template
  return (facts) => {
    let text = ''
    for (const part of parts) text += valueOf(part)
    return text

    function valueOf(part: string): string {
      switch (part) {
        case '#{protocol}':
          return protocol
        case '#{host}':
          return facts.host
        case '#{port}':
          return String(port)
        case '#{path}':
          return facts.path.startsWith('/') ? facts.path.slice(1) : facts.path
        case '#{query}':
          return facts.query
        default:
          return part
      }
    }
  }
}
