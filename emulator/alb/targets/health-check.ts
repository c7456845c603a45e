import { type Server, createServer, request } from 'node:http'
import { duplexPair } from 'node:stream'
import type { Clock } from '../../../services/wire/clock.ts'
import type { HealthCheckConfig, Target } from '../model.ts'
import type { CheckResult } from './target-health.ts'

/** The matcher's default. */
const HEALTHY_STATUS = 200

/** As captured at real targets (aws-behaviour §1.5): nothing is forwarded, nothing is traced. */
const CHECK_HEADERS = {
  Connection: 'close',
  'User-Agent': 'ELB-HealthChecker/2.0',
  'Accept-Encoding': 'gzip, compressed',
}

/**
 * One health check: a request of its own over a connection of its own, which for an in-process target is a pair of
 * streams.
 */
export function checkTarget(target: Target, config: HealthCheckConfig, clock: Clock): Promise<CheckResult> {
  if (target.gone.aborted) return Promise.resolve(failedChecks)
  const [ours, theirs] = duplexPair()
  createDoor(target).emit('connection', theirs)

  return new Promise<CheckResult>((resolve) => {
    const check = request({
      createConnection: () => ours,
      path: config.path,
      headers: { Host: target.id, ...CHECK_HEADERS },
    })
    const timer = clock.after(config.timeoutSeconds * 1000, () => finish(timedOut))
    const refuse = (): void => finish(failedChecks)

    function finish(result: CheckResult): void {
      timer.cancel()
      target.gone.removeEventListener('abort', refuse)
      ours.destroy()
      theirs.destroy()
      resolve(result)
    }

    target.gone.addEventListener('abort', refuse)
    // A pair of streams does not tell one end that the other broke off.
    theirs.once('close', () => {
      if (!theirs.writableFinished) refuse()
    })
    check.on('error', refuse)
    check.on('response', (response) => finish(toResult(response.statusCode)))
    check.end()
  })
}

/** Reads the request and hands it to the target, as the listener does: what the target throws is its failure, not ours. */
function createDoor({ server }: Target): Server {
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

function toResult(status: number | undefined): CheckResult {
  if (status === HEALTHY_STATUS) return { passed: true }
  return {
    passed: false,
    reason: 'Target.ResponseCodeMismatch',
    description: `Health checks failed with these codes: [${status}]`,
  }
}
