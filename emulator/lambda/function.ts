import type { Runtime, StartFunction, Variables } from '../../services/wire/runtime.ts'
import { createEventQueue } from './event-queue.ts'
import { thrown } from './failure.ts'
import { type Instance, type Invocation, type Outcome, startInstance } from './instance.ts'
import { STOP_DEADLINE_MS } from './limits.ts'
import { ServiceError } from './service-error.ts'
import { DEFAULT_SETTINGS, functionArn, type FunctionSettings } from './settings.ts'

/** A function that can be invoked. Each of its instances takes one event at a time. */
export interface LoadedFunction {
  readonly name: string
  readonly arn: string
  readonly settings: FunctionSettings
  readonly loadedAt: number
  /** Answers what the function answers. @throws Error named as what the function threw. */
  invoke(event: unknown): Promise<unknown>
  /** As `RequestResponse`. @throws ServiceError when every instance is busy and no more are allowed. */
  run(invocation: Invocation): Promise<Outcome>
  /** As `Event`: runs it soon, again after one minute and after two more when it fails, then drops it. */
  send(invocation: Invocation): void
  /** Ends every instance at once; what they are doing fails with `Runtime.ExitError`. The next event gets a new one. */
  kill(): void
  /** Gives running events a few seconds, then kills them; drops those that wait to be tried again. */
  stop(): Promise<void>
}

/** What is left out of the settings is as the cloud has it. */
export type FunctionDeps = Pick<FunctionSettings, 'name' | 'region'> &
  Partial<FunctionSettings> & {
    readonly start: StartFunction
    readonly variables: Variables
    readonly runtime: Runtime
  }

/** Initialises the first instance, so that a program that cannot start is known now. Others follow as events need them. */
export async function loadFunction(deps: FunctionDeps): Promise<LoadedFunction> {
  const { start, variables, runtime, ...given } = deps
  const { clock, ids, log } = runtime
  const settings: FunctionSettings = { ...DEFAULT_SETTINGS, ...given }
  const arn = functionArn(settings)
  const instances = new Set<Instance>()
  const idle: Instance[] = []
  const inFlight = new Set<Promise<unknown>>()
  /** Those that are being initialised among them. */
  let count = 0
  let isStopping = false

  async function add(): Promise<Instance> {
    count += 1
    try {
      const instance = await startInstance({ settings, start, variables, runtime })
      instances.add(instance)
      return instance
    } catch (error) {
      count -= 1
      throw error
    }
  }

  function take(): Instance | Promise<Instance> {
    const kept = idle.pop()
    if (kept) return kept
    if (count >= settings.maximumInstances) throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.')
    return add()
  }

  async function giveBack(instance: Instance): Promise<void> {
    if (!instance.isGone && settings.coldStarts === 'kept' && !isStopping) return void idle.push(instance)
    await instance.stop().catch((error: unknown) => log.warn({ err: error }, 'an instance did not stop'))
    instances.delete(instance)
    count -= 1
  }

  async function runOne(invocation: Invocation): Promise<Outcome> {
    if (isStopping) throw new ServiceError('ServiceException', `${settings.name} is being stopped.`)
    const taken = take()
    let instance: Instance
    try {
      instance = await taken
    } catch (error) {
      return initFailed(invocation.requestId, error)
    }
    const outcome = await instance.invoke(invocation)
    await giveBack(instance)
    if (outcome.failure) {
      const { errorType, errorMessage } = outcome.failure
      log.error({ requestId: outcome.requestId, errorType }, `invocation failed: ${errorMessage}`)
    }
    return outcome
  }

  function run(invocation: Invocation): Promise<Outcome> {
    const running = runOne(invocation)
    inFlight.add(running)
    const forget = (): void => void inFlight.delete(running)
    running.then(forget, forget)
    return running
  }

  function kill(): void {
    for (const instance of instances) instance.kill()
    // The busy ones are taken off the count when their events have failed.
    for (const instance of idle.splice(0)) {
      instances.delete(instance)
      count -= 1
    }
  }

  const events = createEventQueue({ run, clock, log })
  idle.push(await add())

  return {
    name: settings.name,
    arn,
    settings,
    loadedAt: clock.now(),
    run,
    send: (invocation) => events.send(invocation),
    async invoke(event) {
      const { payload, failure } = await run({ requestId: ids.uuid(), payload: JSON.stringify(event ?? null) })
      if (!failure) return JSON.parse(payload) as unknown
      throw Object.assign(new Error(failure.errorMessage), { name: failure.errorType })
    },
    kill,
    async stop() {
      isStopping = true
      events.stop()
      const deadline = clock.deadline(STOP_DEADLINE_MS, kill)
      await Promise.allSettled(inFlight)
      deadline.cancel()
      await Promise.all([...instances].map((instance) => instance.stop()))
    },
  }
}

/** An instance that could not be initialised fails the event it was made for. */
function initFailed(requestId: string, error: unknown): Outcome {
  const failure = thrown(error)
  return { requestId, payload: JSON.stringify(failure), failure, logTail: '' }
}
