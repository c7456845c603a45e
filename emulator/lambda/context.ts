import type { Variables } from '../../services/wire/runtime.ts'
import type { FunctionContext } from '../../services/wire/runtime.ts'
import { functionArn, type FunctionSettings, VERSION } from './settings.ts'

/** The second argument of a handler, member by member as the Node runtime gives it. */
export interface LambdaContext extends FunctionContext {
  callbackWaitsForEmptyEventLoop: boolean
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  readonly memoryLimitInMB: string
  readonly logGroupName: string
  readonly logStreamName: string
  readonly clientContext?: unknown
}

export function logGroupOf({ name }: Pick<FunctionSettings, 'name'>): string {
  return `/aws/lambda/${name}`
}

/** `2026/01/31/[$LATEST]<32 hex>` */
export function logStreamOf(nowMs: number, id: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/')}/[${VERSION}]${id}`
}

export interface Call {
  readonly requestId: string
  readonly logStreamName: string
  readonly clientContext?: unknown
  remainingMs(): number
}

export function contextOf(settings: FunctionSettings, call: Call): LambdaContext {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings.name,
    functionVersion: VERSION,
    invokedFunctionArn: functionArn(settings),
    memoryLimitInMB: String(settings.memoryMb),
    awsRequestId: call.requestId,
    logGroupName: logGroupOf(settings),
    logStreamName: call.logStreamName,
    ...(call.clientContext === undefined ? {} : { clientContext: call.clientContext }),
    getRemainingTimeInMillis: () => call.remainingMs(),
  }
}

/** What the runtime adds to a function's own variables. */
export function runtimeVariables(settings: FunctionSettings, logStreamName: string): Variables {
  return {
    AWS_REGION: settings.region,
    AWS_LAMBDA_FUNCTION_NAME: settings.name,
    AWS_LAMBDA_FUNCTION_VERSION: VERSION,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(settings),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    TZ: ':UTC',
  }
}
