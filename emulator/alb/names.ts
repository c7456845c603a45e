import { createHash } from 'node:crypto'

/** What AWS calls a balancer and its parts in logs and metrics. */
export interface AwsNames {
  readonly accountId: string
  readonly region: string
  /** As configured: `prod-ws-proxy`. */
  readonly name: string
  /** `app/name/id`: in log lines, and the value of the dimension `LoadBalancer`. */
  readonly loadBalancer: string
  /** `app.name.id`: in the names of log files. */
  readonly fileName: string
  /** `targetgroup/name/id`: the value of the dimension `TargetGroup`. */
  targetGroup(name: string): string
  targetGroupArn(name: string): string
}

/** Ids come from the names, so that they are the same at every start. */
export function createAwsNames({ name, region, accountId }: Pick<AwsNames, 'name' | 'region' | 'accountId'>): AwsNames {
  const id = toId(name)
  const groups = new Map<string, Readonly<Record<'dimension' | 'arn', string>>>()
  const namesOf = (group: string): Readonly<Record<'dimension' | 'arn', string>> => {
    const known = groups.get(group)
    if (known) return known
    const dimension = `targetgroup/${group}/${toId(`${name}/${group}`)}`
    const both = { dimension, arn: `arn:aws:elasticloadbalancing:${region}:${accountId}:${dimension}` }
    groups.set(group, both)
    return both
  }
  return {
    accountId,
    region,
    name,
    loadBalancer: `app/${name}/${id}`,
    fileName: `app.${name}.${id}`,
    targetGroup: (group) => namesOf(group).dimension,
    targetGroupArn: (group) => namesOf(group).arn,
  }
}

/** AWS's ids of balancers and target groups are 16 hexadecimal digits. */
const ID_LENGTH = 16

function toId(of: string): string {
  return createHash('sha256').update(of).digest('hex').slice(0, ID_LENGTH)
}
