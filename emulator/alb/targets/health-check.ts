import { type ClientRequest, type RequestOptions, type Server, createServer, request } from 'node:http'
import { isIPv6 } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Clock } from '../../../services/wire/clock.ts'
import type { HealthCheckConfig, InProcessTarget, NetworkTarget, Target } from '../model.ts'
import type { Matcher } from './matcher.ts'
import type { CheckResult } from './target-health.ts'

export interface CheckDeps {
  readonly config: HealthCheckConfig
  readonly isPass: Matcher
  readonly clock: Clock
  /** Ends what is under way. */
  readonly stopped: AbortSignal
}

/** A request that has been sent, and how to end it. */
interface Probe {
  readonly sent: ClientRequest
  end(): void
}

/** As captured at real targets (aws-behaviour §1.5): nothing is forwarded, nothing is traced. */
const CHECK_HEADERS = {
  Connection: 'close',
  'User-Agent': 'ELB-HealthChecker/2.0',
  'Accept-Encoding': 'gzip, compressed',
}

/**
 * One health check: a request of its own over a connection of its own, which for an in-process target is a pair of
 * streams. A redirect is an answer like any other.
 */
export function checkTarget(target: Target, { config, isPass, clock, stopped }: CheckDeps): Promise<CheckResult> {
  if (target.gone.aborted) return Promise.resolve(failedChecks)

  return new Promise<CheckResult>((resolve) => {
    const timer = clock.deadline(config.timeoutSeconds * 1000, () => finish(timedOut))
    const refuse = (): void => finish(failedChecks)
    const probe = target.kind === 'network' ? probeNetwork(target, config) : probeInProcess(target, config, refuse)

    function finish(result: CheckResult): void {
      timer.cancel()
      target.gone.removeEventListener('abort', refuse)
      stopped.removeEventListener('abort', refuse)
      probe.end()
      resolve(result)
    }

    target.gone.addEventListener('abort', refuse)
    stopped.addEventListener('abort', refuse)
    probe.sent.on('error', refuse)
    probe.sent.on('response', ({ statusCode = 0 }) => finish(toResult(statusCode, isPass)))
    probe.sent.end()
  })
}

/** What a target that nothing reaches does to a check. */
export async function timeOutCheck({ config, clock, stopped }: CheckDeps): Promise<CheckResult> {
  await clock.sleep(config.timeoutSeconds * 1000, stopped).catch(() => undefined)
  return timedOut
}

function probeNetwork({ host, port }: NetworkTarget, config: HealthCheckConfig): Probe {
  const checked = config.port ?? port
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${checked}`
  const sent = request({ host, port: checked, agent: false, ...toRequest(config, authority) })
  return { sent, end: () => void sent.destroy() }
}

function probeInProcess(target: InProcessTarget, config: HealthCheckConfig, broken: () => void): Probe {
  const [ours, theirs] = duplexPair()
  createDoor(target).emit('connection', theirs)
  // A pair of streams does not tell one end that the other broke off.
  theirs.once('close', () => {
    if (!theirs.writableFinished) broken()
  })
  const sent = request({ createConnection: () => ours, ...toRequest(config, target.id) })
  return {
    sent,
    end() {
      ours.destroy()
      theirs.destroy()
    },
  }
}

function toRequest({ path }: HealthCheckConfig, authority: string): RequestOptions {
  return { path, headers: { Host: authority, ...CHECK_HEADERS } }
}

/** Reads the request and hands it to the target, as the listener does: what the target throws is its failure, not ours. */
function createDoor({ server }: InProcessTarget): Server {
  return createServer((received, response) => {
    try {
      if (!server.emit('request', received, response)) response.destroy()
    } catch {
      response.destroy()
    }
  })
}

const timedOut: CheckResult = { passed: false, reason: 'Target.Timeout', description: 'Request timed out' }
const failedChecks: CheckResult = {
  passed: false,
  reason: 'Target.FailedHealthChecks',
  description: 'Health checks failed',
}

function toResult(status: number, isPass: Matcher): CheckResult {
  if (isPass(status)) return { passed: true }
  return {
    passed: false,
    reason: 'Target.ResponseCodeMismatch',
    description: `Health checks failed with these codes: [${status}]`,
  }
}
