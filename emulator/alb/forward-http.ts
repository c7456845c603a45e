import type { ServerResponse } from 'node:http'
import { answer, takeOver } from './answers.ts'
import type { Exchange } from './exchange.ts'
import type { InProcessTarget } from './model.ts'

/** Hands a request to the target's own server. One that takes no requests or throws is a 502, as a broken connection is. */
export function forwardInProcess(response: ServerResponse, { server }: InProcessTarget, exchange: Exchange): void {
  try {
    if (server.emit('request', response.req, response)) return
    exchange.failure = 'target-refused'
    answer(response, 502, exchange.startedAt)
  } catch {
    exchange.failure = 'target-threw'
    takeOver(response, 502, exchange.startedAt)
  }
}
