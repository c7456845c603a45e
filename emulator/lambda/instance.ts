import type { RunningFunction, Runtime, StartFunction, Variables } from '../../services/wire/runtime.ts'
import { contextOf, logStreamOf, runtimeVariables } from './context.ts'
import { afterSeconds, type Failure, killed, notMarshalled, thrown, timedOut, tooLarge } from './failure.ts'
import { SYNC_PAYLOAD_BYTES } from './limits.ts'
import { createLogTail, type LogTail, withSink } from './log-tail.ts'
import { type FunctionSettings, VERSION } from './settings.ts'

/** One event for a function. */
export interface Invocation {
  readonly requestId: string
  /** JSON. */
  readonly payload: string
  readonly clientContext?: unknown
}

/** What became of it. */
export interface Outcome {
  readonly requestId: string
  /** JSON: what the function answered, or its `failure`. */
  readonly payload: string
  readonly failure: Failure | undefined
  /** The end of its log, in base64. */
  readonly logTail: string
}

/** One initialised copy of a function. It takes one event at a time. */
export interface Instance {
  invoke(invocation: Invocation): Promise<Outcome>
  /** Whether it timed out or was killed: it takes nothing more. */
  readonly isGone: boolean
  /** Ends it; what it is doing fails with `Runtime.ExitError`. */
  kill(): void
  stop(): Promise<void>
}

export interface InstanceDeps {
  readonly settings: FunctionSettings
  readonly start: StartFunction
  readonly variables: Variables
  readonly runtime: Runtime
}

type Ended = { readonly payload: string } | { readonly failure: Failure; readonly status: 'error' | 'timeout' }

/**
 * Initialises a function. Unlike in the cloud it is not frozen between two events, and one that is thrown away is
 * asked to stop, because it shares the process with everything else.
 */
export async function startInstance({ settings, start, variables, runtime }: InstanceDeps): Promise<Instance> {
  const { clock, ids } = runtime
  const initStartedAt = clock.now()
  const logStreamName = logStreamOf(initStartedAt, ids.hex(16))
  let current: { readonly requestId: string; readonly tail: LogTail } | undefined
  let end: ((ended: Ended) => void) | undefined
  let isGone = false

  const log = withSink(runtime.log, (line) => current?.tail.add(`${isoTime()}\t${current.requestId}\t${line}`))
  const all = { ...variables, ...runtimeVariables(settings, logStreamName) }
  const running = await start(all, { ...runtime, log })
  let initMs: number | undefined = clock.now() - initStartedAt

  function isoTime(): string {
    return new Date(clock.now()).toISOString()
  }

  function throwAway(): void {
    if (isGone) return
    isGone = true
    running.stop().catch((error: unknown) => runtime.log.warn({ err: error }, 'an instance did not stop'))
  }

  async function invoke(invocation: Invocation): Promise<Outcome> {
    const { requestId, payload, clientContext } = invocation
    const tail = createLogTail()
    const startedAt = clock.now()
    const deadline = startedAt + settings.timeoutSeconds * 1_000
    current = { requestId, tail }
    tail.add(`START RequestId: ${requestId} Version: ${VERSION}`)
    const remainingMs = (): number => Math.max(0, deadline - clock.now())
    const context = contextOf(settings, { requestId, logStreamName, clientContext, remainingMs })

    const ended = await new Promise<Ended>((resolve) => {
      end = resolve
      const timer = clock.deadline(deadline - startedAt, () => {
        resolve({ failure: timedOut(requestId, settings.timeoutSeconds), status: 'timeout' })
        throwAway()
      })
      void answer(running, JSON.parse(payload), context)
        .then(resolve)
        .finally(() => timer.cancel())
    })
    end = undefined
    const failed = 'failure' in ended ? ended : undefined
    if (failed?.failure.trace) {
      tail.add(`${isoTime()}\t${requestId}\tERROR\tInvoke Error \t${JSON.stringify(failed.failure)}`)
    }
    current = undefined
    tail.add(`END RequestId: ${requestId}`)
    tail.add(`${report(clock.now() - startedAt)}${failed ? statusOf(failed) : ''}`)
    if (failed?.status === 'timeout') tail.add(`${isoTime()} ${requestId} ${afterSeconds(settings.timeoutSeconds)}`)
    initMs = undefined
    return { requestId, payload: payloadOf(ended), failure: failed?.failure, logTail: tail.encoded() }

    function report(durationMs: number): string {
      const usedMb = Math.min(settings.memoryMb, Math.ceil(process.memoryUsage.rss() / 2 ** 20))
      return [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${durationMs.toFixed(2)} ms`,
        `Billed Duration: ${Math.max(1, Math.ceil(durationMs))} ms`,
        `Memory Size: ${settings.memoryMb} MB`,
        `Max Memory Used: ${usedMb} MB`,
        ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
        '',
      ].join('\t')
    }
  }

  return {
    invoke,
    get isGone() {
      return isGone
    },
    kill() {
      if (current) end?.({ failure: killed(current.requestId), status: 'error' })
      throwAway()
    },
    async stop() {
      if (isGone) return
      isGone = true
      await running.stop()
    },
  }
}

async function answer(running: RunningFunction, event: unknown, context: ReturnType<typeof contextOf>): Promise<Ended> {
  let result: unknown
  try {
    result = await running.handler(event, context)
  } catch (error) {
    return { failure: thrown(error), status: 'error' }
  }
  const payload = marshal(result)
  if (payload === undefined) return { failure: notMarshalled(), status: 'error' }
  const bytes = Buffer.byteLength(payload)
  return bytes > SYNC_PAYLOAD_BYTES ? { failure: tooLarge(bytes), status: 'error' } : { payload }
}

/** JSON; nothing for what has no JSON, such as a circle. A function that answers nothing answers `null`. */
function marshal(result: unknown): string | undefined {
  try {
    return JSON.stringify(result ?? null) ?? 'null'
  } catch {
    return undefined
  }
}

function payloadOf(ended: Ended): string {
  return 'payload' in ended ? ended.payload : JSON.stringify(ended.failure)
}

function statusOf({ failure, status }: { failure: Failure; status: string }): string {
  return status === 'timeout' ? 'Status: timeout' : `Status: error\tError Type: ${failure.errorType}`
}
