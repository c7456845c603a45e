import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { countOne } from '../../account/request-window.ts'
import { ApiError, unavailable } from '../../wire/api-error.ts'
import type { RouteDeps } from './route.ts'

const MINUTE_MS = 60_000
/** A person mistypes a few times; whoever guesses needs thousands. */
const ATTEMPTS_PER_EMAIL = 10
/** A whole office may share one address. */
const ATTEMPTS_PER_ADDRESS = 100

/** Of the routes that count attempts. */
export const TOO_MANY_ATTEMPTS = `More than ${ATTEMPTS_PER_EMAIL} attempts a minute for an email, or ${ATTEMPTS_PER_ADDRESS} from an address.`

/**
 * Counts an attempt to give a password in the running minute, by email and by address.
 * @throws ApiError 429 with the seconds until the next minute, 503 while nothing can be counted.
 */
export async function countAttempt(
  { redis, clock }: Pick<RouteDeps, 'redis' | 'clock'>,
  request: Pick<FastifyRequest, 'headers' | 'ip'>,
  email: string,
): Promise<void> {
  const now = clock.now()
  const minute = Math.floor(now / MINUTE_MS)
  const count = (name: string): Promise<number> => countOne(redis, `sign-in:${name}:${minute}`, 2 * MINUTE_MS)
  const [byEmail, byAddress] = await Promise.all([
    count(`email:${createHash('sha256').update(email).digest('hex')}`),
    count(`address:${addressOf(request)}`),
  ]).catch((error: unknown) => {
    // Unlimited guesses are worse than a minute without sign-in.
    throw unavailable('Attempts cannot be counted right now.', error)
  })
  if (byEmail <= ATTEMPTS_PER_EMAIL && byAddress <= ATTEMPTS_PER_ADDRESS) return
  throw new ApiError(429, 'Too many attempts. Try again in a minute.', {
    retryAfterSeconds: Math.ceil((MINUTE_MS - (now % MINUTE_MS)) / 1_000),
  })
}

/** The balancer appends the client's address to what the client itself may have claimed. */
function addressOf({ headers, ip }: Pick<FastifyRequest, 'headers' | 'ip'>): string {
  const forwarded = headers['x-forwarded-for']
  return (
    String(forwarded ?? '')
      .split(',')
      .at(-1)
      ?.trim() || ip
  )
}
