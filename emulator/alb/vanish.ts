import type { ServerResponse } from 'node:http'
import type { Clock } from '../../services/wire/clock.ts'
import { takeOver } from './answers.ts'
import type { Exchange } from './exchange.ts'
import { CONNECT_TIMEOUT_MS } from './network/failures.ts'

/** A request to a target that is silent: no connection comes about, and nobody says why (aws-behaviour §1.8, §1.13). */
export function vanish(response: ServerResponse, exchange: Exchange, clock: Clock): void {
  const timer = clock.after(CONNECT_TIMEOUT_MS, () => {
    exchange.failure = 'connect-timeout'
    takeOver(response, 504, clock.now())
  })
  response.once('close', () => timer.cancel())
}
