import type { RequestListener, ServerResponse } from 'node:http'
import { ServiceError } from '../service-error.ts'
import type { Exchange, LambdaApiDeps } from './exchange.ts'
import { reply } from './exchange.ts'
import { getFunction, getFunctionConfiguration, listFunctions } from './functions.ts'
import { invoke, invokeAsync } from './invoke.ts'
import { getMapping, listMappings, updateMapping } from './mappings.ts'

interface Route {
  readonly method: string
  /** Its first group is the name of a function or the id of a mapping. */
  readonly path: RegExp
  run(exchange: Exchange, name: string): Promise<void>
}

const ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/, run: invoke },
  { method: 'POST', path: /^\/2014-11-13\/functions\/([^/]+)\/invoke-async\/?$/, run: invokeAsync },
  { method: 'GET', path: /^\/2015-03-31\/functions\/?$/, run: listFunctions },
  { method: 'GET', path: /^\/2015-03-31\/functions\/([^/]+)\/?$/, run: getFunction },
  { method: 'GET', path: /^\/2015-03-31\/functions\/([^/]+)\/configuration\/?$/, run: getFunctionConfiguration },
  { method: 'GET', path: /^\/2015-03-31\/event-source-mappings\/?$/, run: listMappings },
  { method: 'GET', path: /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/, run: getMapping },
  { method: 'PUT', path: /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/, run: updateMapping },
]

/** Answers Lambda's REST-JSON API. */
export function createLambdaApi(deps: LambdaApiDeps): RequestListener {
  return (request, response) => {
    const requestId = deps.ids.uuid()
    response.setHeader('x-amzn-requestid', requestId)
    const url = new URL(request.url ?? '/', 'http://lambda')
    const exchange = { request, response, requestId, query: url.searchParams, deps }
    answer(exchange, url.pathname).catch((error: unknown) => refuse(response, error))
  }
}

async function answer(exchange: Exchange, path: string): Promise<void> {
  for (const route of ROUTES) {
    const match = route.method === exchange.request.method ? route.path.exec(path) : null
    if (match) return route.run(exchange, decoded(match[1] ?? ''))
  }
  const { method } = exchange.request
  throw new ServiceError('UnknownOperationException', `There is no operation ${method ?? ''} ${path} here.`)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ServiceError('InvalidParameterValueException', `${part} is not percent-encoded as it should be.`)
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  // Its client has left, or its answer is on the way.
  if (response.headersSent || response.destroyed) return
  const refusal =
    error instanceof ServiceError
      ? error
      : new ServiceError('ServiceException', error instanceof Error ? error.message : String(error))
  response.setHeader('x-amzn-errortype', refusal.type)
  reply(response, refusal.status, refusal.body)
}
