import type { FailoverOptions, Store, StoreFaults } from '../backends/relay/store.ts'
import type { World } from './parts/world.ts'
import type { BackendInstance } from './system.ts'

/** Failures on demand. What is killed comes back by itself, as it does in the cloud. */
export interface Faults {
  /** Ends the server of a database as SIGKILL does. */
  killBackend(name: string): void
  /**
   * Makes the second instance of a database the primary, as clients see it: aws-behaviour.md §7. Resolves when it is
   * over. @throws Error when there is no second instance, or one is under way.
   */
  failover(name: string, options?: FailoverOptions): Promise<void>
  /** The instance of a database that is primary now; they change places in a failover. */
  primaryOf(name: string): BackendInstance
  /** Ends every connection to a database, with RST where `isReset`; new ones work. */
  disconnect(name: string, options?: { readonly isReset?: boolean }): void
  /** A database says nothing more on any connection, old or new, for so long; then these are reset. */
  silence(name: string, durationMs: number): void
  /**
   * Every connection to a database ends, and for so long the server is there and serves nobody: Redis answers LOADING,
   * PostgreSQL refuses with 57P03.
   */
  reboot(name: string, durationMs: number): void
  /** Ends one task of a service at once, without its shutdown code. */
  killTask(service: string): void
  /** Ends the instances of a function, in the middle of what they do. */
  killFunction(name: string): void
}

export function faultsOf({ stores, services, functions, replace = {} }: World): Faults {
  return {
    killBackend(name) {
      const { kill } = found(stores, name)
      if (!kill) throw new Error(`${name} is no process of ours that could be killed.`)
      kill()
    },
    failover: async (name, options) => faultsAt(stores, name).failover(options),
    primaryOf: (name) => faultsAt(stores, name).primary,
    disconnect: (name, options) => faultsAt(stores, name).disconnect(options),
    silence: (name, durationMs) => faultsAt(stores, name).silence(durationMs),
    reboot: (name, durationMs) => faultsAt(stores, name).reboot(durationMs),
    killTask(service) {
      if (service in replace) throw new Error(`${service} is a program of your own, which only you can end.`)
      found(services, service).tasks[0]?.kill()
    },
    killFunction: (name) => found(functions, name).kill(),
  }
}

function faultsAt(stores: ReadonlyMap<string, Store>, name: string): StoreFaults {
  const { faults } = found(stores, name)
  if (!faults) throw new Error(`Services reach ${name} itself: there is no relay that could fail.`)
  return faults
}

/** A part by its name. Throws naming those that there are. */
export function found<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name)
  if (part === undefined) throw new Error(`There is no ${name}. There are: ${[...parts.keys()].join(', ')}.`)
  return part
}
