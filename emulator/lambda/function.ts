import type { RunningFunction, Runtime, StartFunction, Variables } from '../../services/wire/runtime.ts'

/** A function that can be invoked. Its one instance takes one event at a time, in order, as an instance in the cloud does. */
export interface LoadedFunction {
  readonly name: string
  invoke(event: unknown): Promise<unknown>
  stop(): Promise<void>
}

/** The longest that the cloud lets a function run. */
const TIMEOUT_MS = 900_000

export interface FunctionDeps {
  readonly name: string
  readonly start: StartFunction
  readonly variables: Variables
  readonly runtime: Runtime
}

/** Initialises the function once; its handler keeps what it opened. */
export async function loadFunction({ name, start, variables, runtime }: FunctionDeps): Promise<LoadedFunction> {
  const running: RunningFunction = await start(variables, runtime)
  let last: Promise<unknown> = Promise.resolve()

  return {
    name,
    invoke(event) {
      const result = last.then(() => {
        const deadline = runtime.clock.now() + TIMEOUT_MS
        return running.handler(event, {
          functionName: name,
          awsRequestId: runtime.ids.uuid(),
          getRemainingTimeInMillis: () => deadline - runtime.clock.now(),
        })
      })
      last = result.catch(() => undefined)
      return result
    },
    async stop() {
      await last
      await running.stop()
    },
  }
}
