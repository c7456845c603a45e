import type { Failure } from '../failure.ts'
import type { Action, Condition } from '../model.ts'
import type { RuleExplanation } from '../rules/explain.ts'

/** `100: path-pattern /v1/* does not hold for "/me"` */
export function describeRule({ rule, action, outcome, failed }: RuleExplanation): string {
  if (outcome === 'matched') return `${rule} matched: ${describeAction(action)}`
  if (!failed) return `${rule} not reached`
  const { condition, compared } = failed
  return `${rule} failed: ${describeCondition(condition)} does not hold for "${compared}"`
}

export function describeAction(action: Action): string {
  switch (action.type) {
    case 'forward':
      return 'targetGroup' in action
        ? `forward to ${action.targetGroup}`
        : `forward to ${action.targetGroups.map(({ targetGroup, weight }) => `${targetGroup} (${weight})`).join(' or ')}`
    case 'redirect':
      return `redirect with ${action.statusCode}`
    case 'fixed-response':
      return `fixed response ${action.statusCode}`
  }
}

function describeCondition(condition: Condition): string {
  switch (condition.field) {
    case 'http-header':
      return `http-header ${condition.name} ${wantedOf(condition)}`
    case 'query-string':
      return `query-string ${condition.values.map(({ key, value }) => (key === undefined ? value : `${key}=${value}`)).join(' or ')}`
    case 'http-request-method':
    case 'source-ip':
      return `${condition.field} ${condition.values.join(' or ')}`
    case 'host-header':
    case 'path-pattern':
      return `${condition.field} ${wantedOf(condition)}`
  }
}

interface Patterns {
  readonly values?: readonly string[]
  readonly regexValues?: readonly string[]
}

function wantedOf({ values = [], regexValues = [] }: Patterns): string {
  return [...values, ...regexValues.map((regex) => `/${regex}/`)].join(' or ')
}

/** Why the balancer answered itself (aws-behaviour §1.13), for whoever looks for the cause. */
export const failureTexts: Readonly<Record<Failure, string>> = {
  'no-targets':
    'the target group has no target that could get the request: none is registered in a zone with a node, or all are draining',
  'redirect-too-long': 'the URL of the redirect would be longer than 8 KB',
  'transform-failed': 'a transform of the rule would make something that is no host or URL',
  'target-gone': 'the task that had the request ended before it answered',
  'target-refused': 'the target refused the connection: nothing listens there any more',
  'target-closed':
    'the target closed the connection before it had answered; its keep-alive timeout may be shorter than the idle timeout',
  'target-timeout': 'the target sent nothing for the idle timeout',
  'target-threw': 'the program threw an error while it handled the request',
  'connect-timeout': 'the target did not take the connection within 10 s',
  'malformed-response': 'what the target sent is no HTTP answer',
  'response-too-large': 'the head of the answer of the target is longer than 32 KB',
  'deregistration-delay': 'the deregistration delay of the target ended before it had answered',
  desync: 'the request breaks a rule of HTTP in a way that targets might read differently',
  'malformed-request': 'the request breaks a rule of HTTP, or its body ended early',
  'too-long': 'the request line or a header is longer than the balancer takes',
  'idle-timeout': 'the client sent nothing for the idle timeout',
  'client-left': 'the client closed the connection before the answer',
}
