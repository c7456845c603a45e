import type { References } from '../system.ts'
import { queueUrl } from './queue-urls.ts'
import type { World } from './world.ts'

/** What the variables of a service or function may name: only what is ready. */
export function referencesOf({ topology, aws, stores, addresses, secrets }: World): References {
  if (!aws) throw new Error('The AWS endpoint is not ready: name it in "after".')
  return {
    region: topology.region,
    awsEndpoint: aws.url,
    queueUrl: (queue) => queueUrl(aws.url, queue),
    backend: (name) => known(stores, name).url,
    addresses: (service) => known(addresses, service),
    secret(name) {
      const value = secrets[name]
      if (value === undefined) throw new Error(`${name} is not among the secrets of the topology.`)
      return value
    },
  }
}

/** A part that asks for another one must name it in `after`; then it is there. */
function known<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name)
  if (part === undefined) throw new Error(`${name} is not ready: name it in "after".`)
  return part
}
