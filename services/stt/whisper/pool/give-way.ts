import type { Network, Sessions } from '../sessions.ts'

/** What goes before other work on the same thread. */
export interface RightOfWay {
  /** Runs what goes first. */
  hold<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when none of it is under way. */
  free(): Promise<unknown>
}

export function createRightOfWay(): RightOfWay {
  let under: Promise<unknown> = Promise.resolve()
  return {
    hold(work) {
      const result = work()
      under = Promise.allSettled([under, result])
      return result
    },
    free: () => under,
  }
}

/** Sessions for work that can wait. */
export interface PatientSessions extends Sessions {
  /** Milliseconds that were spent waiting so far. */
  readonly waitedMs: number
  /** Resolves when nothing waits or runs. */
  idle(): Promise<unknown>
}

/** They run one step at a time, each when nothing goes first. Of what goes first one at a time has to let a step through. */
export function givingWay(sessions: Sessions, right: RightOfWay): PatientSessions {
  let last: Promise<unknown> = Promise.resolve()
  let waitedMs = 0

  function inTurn(network: () => Network): Network {
    return {
      outputNames: network().outputNames,
      run(feeds, fetches) {
        const step = async () => {
          const asked = performance.now()
          await right.free()
          waitedMs += performance.now() - asked
          return network().run(feeds, fetches)
        }
        const ran = last.then(step)
        last = ran.catch(() => undefined)
        return ran
      },
    }
  }

  return {
    encoder: inTurn(() => sessions.encoder),
    decoder: inTurn(() => sessions.decoder),
    get waitedMs() {
      return waitedMs
    },
    idle: () => last,
  }
}
