import { AldeaError } from './errors.ts'
import type { ServiceSpec, Topology } from './system.ts'

/**
 * Programs of the user's own in the place of services, by the service: where each answers, `http://host:port`. Empty
 * for a service that nobody calls.
 */
export type ExternalServices = Readonly<Record<string, readonly string[]>>

/** @throws ALDEA_USAGE for what is no service, and for addresses that it cannot be called at */
export function parseExternalServices({ services }: Topology, wanted: ExternalServices): ExternalServices {
  const parsed = Object.entries(wanted).map(([name, addresses]): [string, readonly string[]] => {
    const spec = services.find((each) => each.name === name)
    if (!spec) throw usage(`There is no service ${name}.`, `Known: ${services.map((each) => each.name).join(', ')}.`)
    if (isCalled(spec) && addresses.length === 0) {
      throw usage(`${name} is called over HTTP: its address is missing.`, `--replace ${name}=http://127.0.0.1:8000`)
    }
    if (!isCalled(spec) && addresses.length > 0) {
      throw usage(`Nobody calls ${name}: it has no address.`, `--replace ${name}`)
    }
    return [name, [...new Set(addresses.map((address) => parseAddress(spec, address)))]]
  })
  return Object.fromEntries(parsed)
}

function isCalled({ targetGroup, listens }: ServiceSpec): boolean {
  return targetGroup !== undefined || listens
}

/** Its origin. The load balancer speaks plain HTTP to its targets; what services call may speak TLS. */
function parseAddress({ name, targetGroup }: ServiceSpec, address: string): string {
  const protocols = targetGroup === undefined ? ['http:', 'https:'] : ['http:']
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url && protocols.includes(url.protocol) && url.href === `${url.origin}/`) return url.origin
  throw usage(`${name} cannot be called at "${address}".`, `Give ${protocols.join('// or ')}//host:port and no more.`)
}

function usage(message: string, hint: string): AldeaError {
  return new AldeaError('ALDEA_USAGE', message, { hint })
}
