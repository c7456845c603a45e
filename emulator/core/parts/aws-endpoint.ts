import { createBalancerIntrospection } from '../../alb/explain/introspection.ts'
import { startAwsEndpoint } from '../../aws/endpoint.ts'
import { createLambdaApi } from '../../lambda/api/listener.ts'
import type { Part } from '../lifecycle.ts'
import { throwTaken } from '../ports.ts'
import type { World } from './world.ts'

export const AWS_ENDPOINT = 'aws'

/** Bound first as well. */
export function awsEndpointPart(world: World): Part {
  const { host, awsPort } = world
  return {
    name: AWS_ENDPOINT,
    after: [],
    async start() {
      const endpoint = await startAwsEndpoint({
        host,
        port: awsPort,
        queue: () => world.queue,
        introspection: createBalancerIntrospection(() => {
          const { balancer, metrics } = world
          return balancer && metrics && { balancer, metrics }
        }),
        functions: createLambdaApi({
          region: world.topology.region,
          functions: world.functions,
          mappings: () => world.mappings,
          clock: world.clock,
          ids: world.ids,
        }),
      }).catch((error: unknown) => throwTaken(error, awsPort, '--aws-port'))
      world.aws = endpoint
      return { detail: `${endpoint.url}  SQS and Lambda`, stop: () => endpoint.stop() }
    },
  }
}
