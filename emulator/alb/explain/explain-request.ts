import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Ids } from '../../../services/wire/runtime.ts'
import type { ResolvedAttributes } from '../attributes.ts'
import { createConnection } from '../connection.ts'
import { applyRewrite, rewriteHeaders } from '../headers.ts'
import type { Action } from '../model.ts'
import { type RequestFacts, type SentRequest, toFacts } from '../rules/facts.ts'
import { type Origin, compileRedirect } from '../rules/redirect.ts'
import type { DecidingRule, RuleSet } from '../rules/rule-set.ts'
import type { RoutedTargetGroup } from '../targets/target-group.ts'
import { createTraceIds } from '../trace-id.ts'
import { describeChanges, describeRouting } from './explanation.ts'
import { describeAction, describeRule, failureTexts } from './texts.ts'

/** Where a request would go, and why; nothing is sent. */
export interface RequestExplanation {
  /** Every rule in the order they are asked: `100 failed: path-pattern /x does not hold for "/y"`. */
  readonly rules: readonly string[]
  readonly action: string
  /** What the balancer would answer itself. */
  readonly answer: string | undefined
  /** Those that the rule names. */
  readonly targetGroups: readonly TargetGroupExplanation[]
  /** What the target would get besides what was sent: `+` added, `~` changed, `-` dropped. Empty when it gets nothing. */
  readonly headers: readonly string[]
}

export interface TargetGroupExplanation {
  readonly name: string
  /** Among the others of the rule. */
  readonly weight: number
  /** How nodes choose among which targets; empty where nothing runs. */
  readonly routing: readonly string[]
  readonly targets: readonly { readonly id: string; readonly zone: string; readonly health: string }[]
}

/** As much of a listener's rules as explains them. */
export interface ExplainedRules extends Pick<RuleSet, 'explain'> {
  find(facts: RequestFacts): Pick<DecidingRule, 'action' | 'rewrite'>
}

export interface ExplainDeps {
  readonly rules: ExplainedRules
  readonly origin: Origin
  readonly attributes: ResolvedAttributes
  /** Undefined where nothing runs. */
  readonly targetGroups: ReadonlyMap<string, RoutedTargetGroup> | undefined
  /** Of the nodes. */
  readonly zones: readonly string[]
  readonly ids: Ids
  readonly nowMs: number
}

export function explainRequest(sent: SentRequest, deps: ExplainDeps): RequestExplanation {
  const facts = toFacts(sent)
  const rules = deps.rules.explain(facts)
  const { action } = deps.rules.find(facts)
  const targetGroups = groupsOf(action).map((group) => explainGroup(group, deps))
  const hasTarget = deps.targetGroups === undefined || targetGroups.some(({ targets }) => targets.length > 0)
  return {
    rules: rules.map(describeRule),
    action: describeAction(action),
    answer: answerOf(action, facts, { hasTarget, origin: deps.origin }),
    targetGroups,
    headers: action.type === 'forward' ? changesOf(sent, facts, deps) : [],
  }
}

function groupsOf(action: Action): { readonly name: string; readonly weight: number }[] {
  if (action.type !== 'forward') return []
  if ('targetGroup' in action) return [{ name: action.targetGroup, weight: 1 }]
  return action.targetGroups.map(({ targetGroup, weight }) => ({ name: targetGroup, weight }))
}

function explainGroup(
  { name, weight }: { readonly name: string; readonly weight: number },
  { targetGroups, zones }: ExplainDeps,
): TargetGroupExplanation {
  const group = targetGroups?.get(name)
  if (!group) return { name, weight, routing: [], targets: [] }
  const targets = group.describeHealth().map(({ target, health }) => ({
    id: target.id,
    zone: target.zone,
    health: 'reason' in health ? `${health.state} (${health.reason})` : health.state,
  }))
  const routing = zones.map((node, index) => describeRouting({ node, routing: group.explain(index) }) ?? '')
  return { name, weight, routing, targets }
}

function answerOf(
  action: Action,
  facts: RequestFacts,
  { hasTarget, origin }: { readonly hasTarget: boolean; readonly origin: Origin },
): string | undefined {
  switch (action.type) {
    case 'fixed-response':
      return `${action.statusCode} ${action.contentType}`
    case 'redirect':
      return `${action.statusCode} to ${compileRedirect(action, origin)(facts).location}`
    case 'forward':
      return hasTarget ? undefined : `503: ${failureTexts['no-targets']}`
  }
}

/** Made by what makes the headers of real requests. */
function changesOf(sent: SentRequest, facts: RequestFacts, deps: ExplainDeps): string[] {
  const { origin, attributes, ids, nowMs } = deps
  const kind = origin.protocol
  const connection = { ...createConnection(new Socket(), { node: 0, traceId: '-', kind }), client: sent.client }
  const request = new IncomingMessage(connection.socket)
  request.method = sent.method
  request.url = sent.url
  request.headers = { ...sent.headers }
  request.rawHeaders = Object.entries(sent.headers).flatMap(([name, value]) => [name, String(value)])
  const rewrite = deps.rules.find(facts).rewrite?.(facts)
  if (rewrite !== undefined && rewrite !== 'failed') applyRewrite(request, rewrite)
  const received = sent.headers['x-amzn-trace-id']
  const traceId = createTraceIds(ids)(typeof received === 'string' ? received : undefined, nowMs)
  const isUpgrade = sent.headers.upgrade?.toLowerCase() === 'websocket'
  rewriteHeaders(request, { connection, listenerPort: origin.port, traceId, isUpgrade, attributes })
  const url = request.url === sent.url ? [] : [`~url: ${request.url}`]
  return [...url, ...describeChanges(sent.headers, request.headers)]
}
