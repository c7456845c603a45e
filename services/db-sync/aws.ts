import type { DbSyncConfig } from './config.ts'

/** What every client of the AWS SDK is made with. */
export interface AwsOptions {
  readonly region: string
  readonly endpoint?: string
  /** The SDK looks for others itself: the task's role, in the cloud. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  readonly maxAttempts: number
}

export function awsOptions(config: DbSyncConfig, endpoint: string | undefined): AwsOptions {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config
  const sessionToken = config.AWS_SESSION_TOKEN
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
    // Whoever calls tries again, on the clock and with everything that has come meanwhile.
    maxAttempts: 1,
  }
}

/**
 * Keeps the SDK from writing to standard error that some day it will want a newer Node. It reads this variable of the
 * process when its first client is made, and has no option for it.
 */
export function silenceVersionWarning(): void {
  // oxlint-disable-next-line no-restricted-properties -- the SDK looks nowhere else.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
}
