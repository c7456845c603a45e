import { ACCOUNT_ID } from '../backends/queue/port.ts'

/** What CreateFunction would be told. */
export interface FunctionSettings {
  readonly name: string
  readonly region: string
  /** 1 to 900. */
  readonly timeoutSeconds: number
  /** 128 to 10 240. Reported, not enforced: functions share the process. */
  readonly memoryMb: number
  /** Whether an instance is kept for the next event, or every event gets a fresh one. */
  readonly coldStarts: 'kept' | 'every-time'
  /** More events at a time are refused with 429. */
  readonly maximumInstances: number
}

/** The cloud's own, for a whole account and region. */
export const DEFAULT_SETTINGS = {
  timeoutSeconds: 3,
  memoryMb: 128,
  coldStarts: 'kept',
  maximumInstances: 1_000,
} as const

/** The only version there is. */
export const VERSION = '$LATEST'

export function functionArn({ name, region }: Pick<FunctionSettings, 'name' | 'region'>): string {
  return `arn:aws:lambda:${region}:${ACCOUNT_ID}:function:${name}`
}
