import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../services/wire/clock.ts'
import type { Ids } from '../../../services/wire/runtime.ts'
import type { EventSourceMapping } from '../event-source.ts'
import type { LoadedFunction } from '../function.ts'
import { SYNC_PAYLOAD_BYTES } from '../limits.ts'

/** What the API answers about. It is read at every request, so that what starts later is there. */
export interface LambdaApiDeps {
  readonly region: string
  /** By name. */
  readonly functions: ReadonlyMap<string, LoadedFunction>
  mappings(): readonly EventSourceMapping[]
  readonly clock: Clock
  readonly ids: Ids
}

/** One request, as the operations see it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly query: URLSearchParams
  readonly deps: LambdaApiDeps
}

/** Lengths that are refused anyway are read to their end, but not kept. */
export async function readBody(request: IncomingMessage): Promise<{ readonly bytes: number; readonly text: string }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= SYNC_PAYLOAD_BYTES) chunks.push(chunk)
  }
  return { bytes, text: Buffer.concat(chunks).toString() }
}

export function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.statusCode = status
  if (body === undefined) return void response.end()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}
