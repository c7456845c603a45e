import type { ServerResponse } from 'node:http'
import { answer, takeOver } from './answers.ts'
import type { Registration } from './targets/target-group.ts'

/**
 * Hands a request to the target's own server. A target that is gone, takes no requests or throws is a 502, as a
 * refused or broken connection would be.
 */
export function forwardHttp(response: ServerResponse, { target, responses }: Registration, nowMs: number): void {
  if (target.gone.aborted) return answer(response, 502, nowMs)
  responses.add(response)
  try {
    if (!target.server.emit('request', response.req, response)) answer(response, 502, nowMs)
  } catch {
    takeOver(response, 502, nowMs)
  }
}
