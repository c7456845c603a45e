import { test } from 'vitest'
import { describeEvent } from './describe-event.ts'

test.for([
  ['unhealthy', 'Target.FailedHealthChecks', '▲ ws-proxy: 127.0.0.1:8000 is unhealthy: Target.FailedHealthChecks'],
  ['healthy', '', undefined],
  ['draining', 'Target.DeregistrationInProgress', undefined],
] as const)('of a target a person reads only that it has become unhealthy: %s', ([state, reason, line], { expect }) => {
  const target = { targetGroup: 'ws-proxy', target: '127.0.0.1:8000' }
  expect(describeEvent({ type: 'alb.target-health', at: 0, ...target, state, reason })).toBe(line)
})
