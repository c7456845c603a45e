import { logGroupOf } from '../context.ts'
import type { LoadedFunction } from '../function.ts'
import { DEFAULT_SETTINGS, VERSION } from '../settings.ts'
import { type Exchange, reply } from './exchange.ts'
import { findFunction } from './names.ts'

/** `GET /2015-03-31/functions/` */
export async function listFunctions({ response, deps }: Exchange): Promise<void> {
  reply(response, 200, { Functions: [...deps.functions.values()].map(configurationOf) })
}

/** `GET /2015-03-31/functions/{name}` */
export async function getFunction({ response, query, deps }: Exchange, reference: string): Promise<void> {
  const found = findFunction(deps, reference, query.get('Qualifier'))
  const { maximumInstances } = found.settings
  const isReserved = maximumInstances !== DEFAULT_SETTINGS.maximumInstances
  reply(response, 200, {
    Configuration: configurationOf(found),
    ...(isReserved ? { Concurrency: { ReservedConcurrentExecutions: maximumInstances } } : {}),
  })
}

/** `GET /2015-03-31/functions/{name}/configuration` */
export async function getFunctionConfiguration(exchange: Exchange, reference: string): Promise<void> {
  const { response, query, deps } = exchange
  reply(response, 200, configurationOf(findFunction(deps, reference, query.get('Qualifier'))))
}

/** Without the environment: its values are secrets, and whoever may know them gave them. */
function configurationOf(found: LoadedFunction): Readonly<Record<string, unknown>> {
  const { settings, arn, loadedAt } = found
  return {
    FunctionName: settings.name,
    FunctionArn: arn,
    Runtime: 'nodejs20.x',
    Handler: 'main.handler',
    Timeout: settings.timeoutSeconds,
    MemorySize: settings.memoryMb,
    LastModified: new Date(loadedAt).toISOString().replace('Z', '+0000'),
    Version: VERSION,
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    LoggingConfig: { LogFormat: 'Text', LogGroup: logGroupOf(settings) },
  }
}
