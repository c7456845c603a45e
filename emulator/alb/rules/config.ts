import { AldeaError } from '../../core/errors.ts'
import type { LoadBalancerConfig } from '../model.ts'

const MAX_PRIORITY = 50_000

/** @throws ALDEA_CONFIG_INVALID naming every problem. */
export function assertLoadBalancerConfig(config: LoadBalancerConfig): void {
  const problems = problemsOf(config)
  if (problems.length === 0) return
  throw new AldeaError('ALDEA_CONFIG_INVALID', `The load balancer ${config.name} cannot run: ${problems.join('; ')}.`)
}

function problemsOf({ zones, listeners, targetGroups }: LoadBalancerConfig): string[] {
  const problems: string[] = []
  const groups = new Set(targetGroups.map(({ name }) => name))
  if (zones.length === 0) problems.push('it has no zone')
  if (groups.size < targetGroups.length) problems.push('two target groups have the same name')

  for (const { rules, defaultAction } of listeners) {
    const priorities = rules.map(({ priority }) => priority)
    for (const action of [...rules.map((rule) => rule.action), defaultAction]) {
      if (action.type === 'forward' && !groups.has(action.targetGroup)) {
        problems.push(`a rule forwards to ${action.targetGroup}, which is no target group`)
      }
    }
    for (const [index, priority] of priorities.entries()) {
      if (!Number.isInteger(priority) || priority < 1 || priority > MAX_PRIORITY) {
        problems.push(`priority ${priority} is not between 1 and ${MAX_PRIORITY}`)
      }
      if (priorities.indexOf(priority) < index) problems.push(`priority ${priority} is used twice`)
    }
  }
  return problems
}
