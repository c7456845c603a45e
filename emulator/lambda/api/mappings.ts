import type { EventSourceMapping } from '../event-source.ts'
import { ServiceError } from '../service-error.ts'
import { type Exchange, readBody, reply } from './exchange.ts'
import { findFunction } from './names.ts'

/** `GET /2015-03-31/event-source-mappings/`, all or those of `FunctionName` and `EventSourceArn`. */
export async function listMappings({ response, query, deps }: Exchange): Promise<void> {
  const reference = query.get('FunctionName')
  const functionArn = reference === null ? undefined : findFunction(deps, reference).arn
  const sourceArn = query.get('EventSourceArn')
  const found = deps
    .mappings()
    .filter((mapping) => functionArn === undefined || mapping.functionArn === functionArn)
    .filter((mapping) => sourceArn === null || mapping.sourceArn === sourceArn)
  reply(response, 200, { EventSourceMappings: found.map(configurationOf) })
}

/** `GET /2015-03-31/event-source-mappings/{uuid}` */
export async function getMapping(exchange: Exchange, uuid: string): Promise<void> {
  reply(exchange.response, 200, configurationOf(findMapping(exchange, uuid)))
}

/** `PUT /2015-03-31/event-source-mappings/{uuid}`: turns it on and off. Other settings belong to the system. */
export async function updateMapping(exchange: Exchange, uuid: string): Promise<void> {
  const changes = parseChanges((await readBody(exchange.request)).text)
  const mapping = findMapping(exchange, uuid)
  if (changes.Enabled !== undefined) mapping.setEnabled(changes.Enabled)
  reply(exchange.response, 202, configurationOf(mapping))
}

function parseChanges(text: string): { readonly Enabled?: boolean } {
  const changes: unknown = parseJson(text)
  const fixed = Object.entries(changes ?? {}).find(
    ([name, value]) => name !== 'FunctionName' && (name !== 'Enabled' || typeof value !== 'boolean'),
  )
  if (typeof changes === 'object' && changes !== null && !fixed) return changes
  const message = `Only Enabled, true or false, can be changed here${fixed ? `, not ${fixed[0]}` : ''}.`
  throw new ServiceError('InvalidParameterValueException', message)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ServiceError('InvalidRequestContentException', 'Could not parse request body into json.')
  }
}

function findMapping({ deps }: Exchange, uuid: string): EventSourceMapping {
  const found = deps.mappings().find((mapping) => mapping.uuid === uuid)
  if (found) return found
  throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.')
}

function configurationOf(mapping: EventSourceMapping): Readonly<Record<string, unknown>> {
  const { spec } = mapping
  return {
    UUID: mapping.uuid,
    FunctionArn: mapping.functionArn,
    EventSourceArn: mapping.sourceArn,
    BatchSize: spec.batchSize,
    MaximumBatchingWindowInSeconds: spec.maximumBatchingWindowSeconds,
    FunctionResponseTypes: spec.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    ...(spec.maximumConcurrency === undefined
      ? {}
      : { ScalingConfig: { MaximumConcurrency: spec.maximumConcurrency } }),
    State: mapping.state,
    StateTransitionReason: 'USER_INITIATED',
    LastModified: mapping.lastModifiedMs / 1_000,
    LastProcessingResult: mapping.lastProcessingResult,
  }
}
