import type {
  Action,
  FixedResponseAction,
  ForwardAction,
  RedirectAction,
  TargetGroupConfig,
  Transform,
} from '../model.ts'
import { checkRegex } from './check-regex.ts'
import { type Problem, invalid, outOfModel, outsideOf } from './problems.ts'
import type { Origin } from './redirect.ts'

/** aws-behaviour §1.3. */
const MAX_GROUPS = 5
const WEIGHT = { min: 0, max: 999 }
const STICKINESS_SECONDS = { min: 1, max: 604_800 }
const MAX_BODY_LENGTH = 1024
const MAX_PART_LENGTH = 128
const MAX_TRANSFORM_LENGTH = 1024
const CONTENT_TYPES = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json']

export interface ActionContext {
  readonly targetGroups: readonly TargetGroupConfig[]
  readonly origin: Origin
}

export function checkAction(action: Action, context: ActionContext): Problem[] {
  switch (action.type) {
    case 'forward':
      return checkForward(action, context)
    case 'redirect':
      return checkRedirect(action, context.origin)
    case 'fixed-response':
      return checkFixedResponse(action)
  }
}

function checkForward(action: ForwardAction, { targetGroups }: ActionContext): Problem[] {
  const chosen = 'targetGroup' in action ? [{ targetGroup: action.targetGroup, weight: 1 }] : action.targetGroups
  const names = chosen.map(({ targetGroup }) => targetGroup)
  const problems: Problem[] = names
    .filter((name) => !targetGroups.some((group) => group.name === name))
    .map((name) => ({ code: 'TargetGroupNotFound', message: `Target group '${name}' not found` }))
  if (names.length === 0) problems.push(refused('A forward action must have at least one target group'))
  if (names.length > MAX_GROUPS) problems.push(refused(`A forward action can only have '${MAX_GROUPS}' target groups`))
  if (new Set(names).size < names.length) problems.push(refused('Target groups must be unique in a forward action'))
  for (const { weight } of chosen) problems.push(...outsideOf(weight, 'weight', WEIGHT))
  if ('targetGroup' in action) return problems

  const { stickinessSeconds } = action
  if (stickinessSeconds !== undefined) {
    problems.push(...outsideOf(stickinessSeconds, 'durationSeconds', STICKINESS_SECONDS))
  } else if (names.length > 1 && targetGroups.some(({ name, stickiness }) => stickiness && names.includes(name))) {
    problems.push({
      code: 'InvalidConfigurationRequest',
      message:
        'You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups',
    })
  }
  return problems
}

function checkRedirect(action: RedirectAction, origin: Origin): Problem[] {
  const { protocol = '#{protocol}', host = '#{host}', port = '#{port}', path = '/#{path}', query = '' } = action
  const problems = [
    ...outOfPattern(protocol, 'protocol', /^(?:HTTPS?|#\{protocol\})$/),
    ...outOfPattern(port, 'port', /^(?:#\{port\}|[1-9]\d{0,4})$/),
    ...outOfPattern(path, 'path', /^\/[!-~]*$/),
    ...outOfPattern(host, 'host', /^[A-Za-z0-9.{}#_-]+$/),
    ...outOfPattern(query, 'query', /^[!-~]*$/),
  ]
  for (const [name, part] of Object.entries({ host, path, query })) {
    if (part.length > MAX_PART_LENGTH) {
      problems.push(outOfModel(part, `redirectConfig.${name}`, `have length less than or equal to ${MAX_PART_LENGTH}`))
    }
  }
  if (origin.protocol === 'https' && protocol === 'HTTP') {
    problems.push(refused('The redirect configuration is not valid because it redirects from HTTPS to HTTP'))
  }
  const keepsProtocol = protocol === '#{protocol}' || protocol.toLowerCase() === origin.protocol
  const keepsPort = port === '#{port}' || Number(port) === origin.port
  if (keepsProtocol && keepsPort && host === '#{host}' && path === '/#{path}') {
    problems.push(refused('The redirect configuration is not valid because it creates a loop.'))
  }
  return problems
}

function outOfPattern(value: string, name: string, pattern: RegExp): Problem[] {
  if (pattern.test(value)) return []
  return [outOfModel(value, `redirectConfig.${name}`, `satisfy regular expression pattern: ${pattern.source}`)]
}

function checkFixedResponse({ statusCode, contentType, body }: FixedResponseAction): Problem[] {
  const problems: Problem[] = []
  if (!/^[245]\d\d$/.test(String(statusCode))) {
    problems.push(
      outOfModel(
        statusCode,
        'fixedResponseConfig.statusCode',
        String.raw`satisfy regular expression pattern: ^(2|4|5)\d\d$`,
      ),
    )
  }
  if (body.length > MAX_BODY_LENGTH) {
    problems.push(
      outOfModel(body, 'fixedResponseConfig.messageBody', `have length less than or equal to ${MAX_BODY_LENGTH}`),
    )
  }
  if (!CONTENT_TYPES.includes(contentType)) {
    const allowed = CONTENT_TYPES.map((each) => `'${each}'`).join(', ')
    problems.push(refused(`The ContentType must be one of: ${allowed}`))
  }
  return problems
}

/** One of each kind at most. */
export function checkTransforms(transforms: readonly Transform[]): Problem[] {
  const problems: Problem[] = []
  for (const type of ['host-header-rewrite', 'url-rewrite'] as const) {
    if (transforms.filter((each) => each.type === type).length > 1) {
      problems.push(invalid(`A rule can only have one '${type}' transform`))
    }
  }
  for (const { regex, replace } of transforms) {
    for (const [member, text] of Object.entries({ regex, replace })) {
      if (text.length <= MAX_TRANSFORM_LENGTH) continue
      problems.push(outOfModel(text, member, `have length less than or equal to ${MAX_TRANSFORM_LENGTH}`))
    }
    problems.push(...checkRegex(regex))
  }
  return problems
}

function refused(message: string): Problem {
  return { code: 'InvalidLoadBalancerAction', message }
}
