import type { ServerResponse } from 'node:http'

/** Responses that have begun and not ended, in no order. */
export interface InFlight extends Iterable<ServerResponse> {
  readonly size: number
  add(response: ServerResponse): void
  delete(response: ServerResponse): void
}

/**
 * No `Set`: every table that one outgrows refers to the next one, so that what was once in flight outlived its request
 * until the next full garbage collection, which cost requests over the network a third of their time.
 */
export function createInFlight(): InFlight {
  const responses: ServerResponse[] = []
  return {
    get size() {
      return responses.length
    },
    add: (response) => void responses.push(response),
    delete(response) {
      const index = responses.indexOf(response)
      const last = index === -1 ? undefined : responses.pop()
      if (last && last !== response) responses[index] = last
    },
    /** Of those that there are now: whoever goes through them may end them. */
    [Symbol.iterator]: () => [...responses].values(),
  }
}
