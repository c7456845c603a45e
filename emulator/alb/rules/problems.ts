/** The error codes of AWS's `elasticloadbalancingv2` API that a configuration can be refused with. */
export type ProblemCode =
  | 'ValidationError'
  | 'PriorityInUse'
  | 'RuleNotFound'
  | 'TargetGroupNotFound'
  | 'DuplicateTargetGroupName'
  | 'DuplicateListener'
  | 'InvalidConfigurationRequest'
  | 'InvalidLoadBalancerAction'
  | 'TooManyRules'
  | 'TooManyListeners'
  | 'TooManyTargetGroups'

/** Something that AWS would refuse. Messages are as users have reported them; where nobody has, in their manner. */
export interface Problem {
  readonly code: ProblemCode
  readonly message: string
}

/** A change of rules that AWS would refuse. */
export class RuleError extends Error {
  readonly code: ProblemCode

  constructor({ code, message }: Problem) {
    super(message)
    this.name = 'RuleError'
    this.code = code
  }
}

export function invalid(message: string): Problem {
  return { code: 'ValidationError', message }
}

/** Of a member that is outside of what the API's own model allows. */
export function outOfModel(value: string | number, member: string, constraint: string): Problem {
  return invalid(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must ${constraint}`,
  )
}

/** Of a number that should be whole and between two others. */
export function outsideOf(value: number, member: string, { min, max }: { min: number; max: number }): Problem[] {
  if (!Number.isInteger(value)) return [outOfModel(value, member, 'be a whole number')]
  if (value < min) return [outOfModel(value, member, `have value greater than or equal to ${min}`)]
  if (value > max) return [outOfModel(value, member, `have value less than or equal to ${max}`)]
  return []
}
