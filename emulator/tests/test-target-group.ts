import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { systemIds } from '../../services/wire/ids.ts'
import type { TargetGroupConfig } from '../alb/model.ts'
import { createRandom } from '../alb/random.ts'
import { createStickinessCookies } from '../alb/targets/stickiness-cookie.ts'
import { type RoutedTargetGroup, createTargetGroup } from '../alb/targets/target-group.ts'
import { type Zones, createZones } from '../alb/zones.ts'
import { type VirtualClock, createVirtualClock } from '../core/clock.ts'
import { type EventStream, createEventStream } from '../core/events.ts'
import { START_MS, type TestTarget, createTarget, healthCheck } from './test-balancer.ts'

export interface TestTargetGroup {
  readonly group: RoutedTargetGroup
  readonly zones: Zones
  readonly clock: VirtualClock
  readonly events: EventStream
  /** Registers the targets in one operation and waits for their first checks. */
  register(...targets: readonly TestTarget[]): Promise<void>
  /** Ids of the targets of `count` requests through the node. */
  picks(count: number, node?: number): string[]
}

export interface TestTargetGroupOptions extends Partial<TargetGroupConfig> {
  readonly zones?: readonly string[]
  readonly secret?: string
  readonly onTestFinished: (cleanUp: () => void) => void
}

/** A target group `web` without a balancer around it. */
export function createTestTargetGroup(options: TestTargetGroupOptions): TestTargetGroup {
  const { zones: names = ['a'], secret, onTestFinished, ...config } = options
  const clock = createVirtualClock(START_MS)
  const events = createEventStream()
  const zones = createZones(names, clock)
  const cookies = createStickinessCookies({ clock, ids: systemIds, secret })
  const deps = { clock, events, zones, random: createRandom(systemIds), cookies }
  const group = createTargetGroup({ name: 'web', healthCheck, ...config }, deps)
  onTestFinished(() => group.stop())
  return {
    group,
    zones,
    clock,
    events,
    async register(...targets) {
      group.register(...targets)
      await Promise.all(targets.map(({ id }) => group.firstCheck(id)))
    },
    picks: (count, node = 0) => Array.from({ length: count }, () => group.pick(node, undefined)?.target.id ?? 'none'),
  }
}

/** A target with a health check that passes for as long as `isHealthy` says so. */
export function createPatient(
  id: string,
  { zone = 'a', isHealthy = () => true }: { zone?: string; isHealthy?: () => boolean } = {},
): TestTarget {
  const target = createTarget(id, (_, response) => response.end(id))
  target.server.prependListener('request', (request, response) => {
    if (request.url === '/health' && !isHealthy()) response.writeHead(503)
  })
  return { ...target, zone }
}

/** A response that nobody has answered yet. */
export function createResponse(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()))
}

export function countOf(ids: readonly string[], id: string): number {
  return ids.filter((each) => each === id).length
}
