import type { ServerResponse } from 'node:http'
import { answer, takeOver } from './answers.ts'
import type { InFlight, Registration } from './target-group.ts'

/**
 * Hands a request to the target's own server. A target that is gone, takes no requests or throws is a 502, as a
 * refused or broken connection would be.
 */
export function forwardHttp(response: ServerResponse, { target, inFlight }: Registration, now: () => number): void {
  if (target.gone.aborted) return answer(response, 502, now())
  const sent: InFlight = { cut: () => takeOver(response, 502, now()) }
  inFlight.add(sent)
  response.on('close', () => inFlight.delete(sent))
  try {
    if (!target.server.emit('request', response.req, response)) sent.cut()
  } catch {
    sent.cut()
  }
}
