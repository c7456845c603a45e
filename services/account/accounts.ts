import { ApiError, unavailable } from '../wire/api-error.ts'
import type { Runtime } from '../wire/runtime.ts'
import { type Account, findAccount } from './key-check.ts'
import { acquireLease, type Lease } from './leases.ts'
import { createMeter, type UsageEvent } from './metering.ts'
import { closeRedis, connectRedis } from './redis.ts'
import { countRequest } from './request-window.ts'

/** What both proxies need of an account, backed by Redis. Every refusal is an `ApiError`. */
export interface Accounts {
  /**
   * Checks the keys a request presents and counts the request.
   * @throws ApiError 401 without a good key, 429 over the minute's limit, 503 when Redis is away.
   */
  admit(keys: readonly string[]): Promise<Account>
  /** Takes a place among the organisation's connections. @throws ApiError 429 when none is free, 503. */
  openConnection(account: Account, id: string): Promise<Lease>
  /** Records usage; it is kept while Redis is away. Never rejects. */
  record(event: UsageEvent): Promise<void>
  stop(): Promise<void>
  /** Hangs up at once. */
  abandon(): void
}

export async function connectAccounts(
  redisUrl: string,
  { clock, log }: Pick<Runtime, 'clock' | 'log'>,
): Promise<Accounts> {
  const redis = await connectRedis(redisUrl, log)
  const meter = createMeter({ redis, clock, log })

  return {
    admit: (keys) =>
      reachable(async () => {
        const account = await findAccount(redis, keys)
        if (!account) throw new ApiError(401, keys.length > 0 ? 'The API key is not valid.' : 'An API key is needed.')
        await countRequest(redis, clock, account)
        return account
      }),
    openConnection: (account, id) => reachable(() => acquireLease(redis, clock, account, id)),
    record: (event) => meter.record(event),
    async stop() {
      await meter.stop()
      await closeRedis(redis)
    },
    abandon() {
      meter.abandon()
      redis.disconnect()
    },
  }
}

async function reachable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw error instanceof ApiError ? error : unavailable('Accounts cannot be checked right now.', error)
  }
}
