import { pino } from 'pino'
import { systemClock } from './clock.ts'
import { systemIds } from './ids.ts'
import type { FunctionContext, StartFunction, Variables } from './runtime.ts'
import { createShared } from './shared.ts'

/** What AWS Lambda calls: the shape of `Handler` in @types/aws-lambda. */
export type LambdaHandler = (event: unknown, context: FunctionContext) => Promise<unknown>

/**
 * Makes a program a function of AWS Lambda. It is started once, while the instance is initialised, from the real world:
 * variables of the environment, the system's clock and ids, JSON on standard output, which is where CloudWatch reads.
 * Exported under the name of the setting `Handler`: `export const handler = await lambdaHandler(start, process.env)`.
 * @throws Error when the program cannot start, which fails the initialisation.
 */
export async function lambdaHandler(start: StartFunction, variables: Variables): Promise<LambdaHandler> {
  const name = variables['AWS_LAMBDA_FUNCTION_NAME'] ?? 'function'
  const log = pino({ name, level: variables['LOG_LEVEL'] ?? 'info' }, pino.destination({ dest: 1, sync: true }))
  const running = await start(variables, { clock: systemClock, ids: systemIds, log, shared: createShared() })
  return (event, context) => running.handler(event, context)
}
