import { createServer } from 'node:http'
import {
  type TestBalancer,
  type TestBalancerOptions,
  createTarget,
  healthCheck,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import type { TargetKind } from './testing.ts'

export interface RoutedOptions extends Omit<TestBalancerOptions, 'targetGroups'> {
  /** Each with one target, which answers with the group's name, the `Host` that it saw and the URL that it was asked for. */
  readonly groups: readonly string[]
  /** Groups without a target. */
  readonly emptyGroups?: readonly string[]
}

/** A balancer before several target groups. */
export async function startRouted(kind: TargetKind, options: RoutedOptions): Promise<TestBalancer> {
  const { groups, emptyGroups = [], onTestFinished } = options
  const targetGroups = [...groups, ...emptyGroups].map((name) => ({ name, healthCheck }))
  const started = await startTestBalancer({ ...options, targetGroups })
  for (const group of groups) {
    const server = createServer((request, response) => {
      response.setHeader('X-Group', group)
      response.end([group, request.headers.host?.replace(/:\d+$/, ''), request.url].join(' '))
    })
    const target =
      kind === 'network'
        ? await startNetworkTarget(group, server, onTestFinished)
        : createTarget(group, (request, response) => server.emit('request', request, response))
    await register(started.balancer, group, [target])
  }
  return started
}
