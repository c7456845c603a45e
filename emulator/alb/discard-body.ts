import type { IncomingMessage } from 'node:http'

/** Reads what is left of a body to its end, for nobody: it is in the way of the connection's next request. */
export function discardBody(request: IncomingMessage): void {
  // A program that reads in its own time would stop everything.
  if (request.listenerCount('readable') > 0) request.removeAllListeners('readable')
  request.on('data', ignore)
  request.resume()
}

function ignore(): void {}
