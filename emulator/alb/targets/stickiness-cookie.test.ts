import { test } from 'vitest'
import { systemIds } from '../../../services/wire/ids.ts'
import { createVirtualClock } from '../../core/clock.ts'
import { START_MS } from '../../tests/test-balancer.ts'
import { createStickinessCookies, readCookie } from './stickiness-cookie.ts'

const SECONDS = 60

function create(
  secret?: string,
): { clock: ReturnType<typeof createVirtualClock> } & ReturnType<typeof createStickinessCookies> {
  const clock = createVirtualClock(START_MS)
  return { clock, ...createStickinessCookies({ clock, ids: systemIds, secret }) }
}

function pairOf(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'))
}

test('the twins hold the same opaque value, expire in seven days, and only the second goes across sites', ({
  expect,
}) => {
  const [plain, cors] = create().sealTwins('AWSALB', 'web 0123456789abcdef0123456789abcdef', SECONDS)

  const value = /^AWSALB=([A-Za-z0-9+/]{128,180}={0,2}); Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=\/$/.exec(
    plain,
  )?.[1]
  expect(value).toBeDefined()
  expect(cors).toBe(`AWSALBCORS=${value}; Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=/; SameSite=None; Secure`)
})

test('either twin opens, among other cookies, until the configured duration is over', async ({ expect }) => {
  const { clock, sealTwins, open } = create()
  const [plain, cors] = sealTwins('AWSALB', 'one', SECONDS).map(pairOf)

  expect(open(`a=b; ${plain}; c=d`, 'AWSALB')).toBe('one')
  expect(open(`a=b;${cors}`, 'AWSALB')).toBe('one')
  await clock.advance(SECONDS * 1000 - 1)
  expect(open(plain, 'AWSALB')).toBe('one')
  await clock.advance(1)
  expect(open(plain, 'AWSALB')).toBeUndefined()
})

test('a value from elsewhere opens as nothing: changed, URL-encoded, of another name, of another secret', ({
  expect,
}) => {
  const { seal, open } = create('one secret')
  const pair = pairOf(seal('AWSALB', 'one', SECONDS))
  const value = pair.slice('AWSALB='.length)

  expect(open(`AWSALB=${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`, 'AWSALB')).toBeUndefined()
  expect(open(`AWSALB=%41${value}`, 'AWSALB')).toBeUndefined()
  expect(open(`AWSALBTG=${value}`, 'AWSALBTG')).toBeUndefined()
  expect(open('AWSALB=', 'AWSALB')).toBeUndefined()
  expect(open(undefined, 'AWSALB')).toBeUndefined()
  expect(create('another').open(pair, 'AWSALB')).toBeUndefined()
  expect(create('one secret').open(pair, 'AWSALB')).toBe('one')
})

test('a cookie is found by its whole name', ({ expect }) => {
  expect(readCookie('AWSALBCORS=1; AWSALB=2 ; AWSALB=3', 'AWSALB')).toBe('2')
  expect(readCookie('xAWSALB=1; b', 'AWSALB')).toBeUndefined()
  expect(readCookie('', 'AWSALB')).toBeUndefined()
})
