import type { World } from './parts/world.ts'

/** Failures on demand. What is killed comes back by itself, as it does in the cloud. */
export interface Faults {
  /** Ends the server of a database as SIGKILL does. */
  killBackend(name: string): void
  /** Ends one task of a service at once, without its shutdown code. */
  killTask(service: string): void
  /** Ends the instances of a function, in the middle of what they do. */
  killFunction(name: string): void
}

export function faultsOf({ stores, services, functions }: World): Faults {
  return {
    killBackend(name) {
      const { kill } = found(stores, name)
      if (!kill) throw new Error(`${name} is no process of ours that could be killed.`)
      kill()
    },
    killTask(service) {
      found(services, service).tasks[0]?.kill()
    },
    killFunction: (name) => found(functions, name).kill(),
  }
}

/** A part by its name. Throws naming those that there are. */
export function found<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name)
  if (part === undefined) throw new Error(`There is no ${name}. There are: ${[...parts.keys()].join(', ')}.`)
  return part
}
