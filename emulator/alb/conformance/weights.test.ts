import { Agent, request } from 'node:http'
import { describe, test } from 'vitest'
import { seededRandom } from '../../../services/wire/seeded-random.ts'
import { get } from '../../tests/test-balancer.ts'
import type { Action } from '../model.ts'
import { startRouted } from './testing-routed.ts'
import { TARGET_KINDS } from './testing.ts'

const SEED = 0x5eed
const REQUESTS = 1_000

function weighted(weights: Record<string, number>, stickinessSeconds?: number): Action {
  const targetGroups = Object.entries(weights).map(([targetGroup, weight]) => ({ targetGroup, weight }))
  return { type: 'forward', targetGroups, ...(stickinessSeconds !== undefined && { stickinessSeconds }) }
}

const groupOf = (body: string): string => body.split(' ')[0] ?? ''

describe.for(TARGET_KINDS)('item 3, weights, before a target %s', (kind) => {
  test('90/10 over 1,000 requests; weight 0 gets none', async ({ expect, onTestFinished }) => {
    const { port } = await startRouted(kind, {
      groups: ['old', 'new', 'none'],
      defaultAction: weighted({ old: 90, none: 0, new: 10 }),
      random: seededRandom(SEED),
      onTestFinished,
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    onTestFinished(() => agent.destroy())
    const answers = await Promise.all(Array.from({ length: REQUESTS }, () => get(port, '/', { agent })))
    const counts = new Map<string, number>()
    for (const { body } of answers) counts.set(groupOf(body), (counts.get(groupOf(body)) ?? 0) + 1)

    const { old = 0, new: fresh = 0, none = 0 } = Object.fromEntries(counts)
    expect([old + fresh, none]).toEqual([REQUESTS, 0])
    // Three standard deviations of a binomial distribution.
    expect(Math.abs(old - 900)).toBeLessThan(29)
  })

  test('empty chosen group → 503 without spill-over', async ({ expect, onTestFinished }) => {
    const { port } = await startRouted(kind, {
      groups: ['full'],
      emptyGroups: ['empty'],
      defaultAction: weighted({ full: 1, empty: 1 }),
      random: seededRandom(SEED),
      onTestFinished,
    })
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(port, '/')))

    const refused = answers.filter(({ status }) => status === 503)
    expect(refused.length).toBeGreaterThan(30)
    expect(refused.length).toBeLessThan(70)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100 - refused.length)
  })
})

interface StickyAnswer {
  readonly group: string
  /** Values of `Set-Cookie`. */
  readonly setCookies: readonly string[]
  /** As a client sends it back. */
  readonly cookie: string
}

function getSticky(port: number, cookie = ''): Promise<StickyAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, headers: { host: 'a', cookie } }, (response) => {
      const setCookies = response.headers['set-cookie'] ?? []
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => {
        resolve({ group: groupOf(body), setCookies, cookie: setCookies[0]?.split(';')[0] ?? '' })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe.for(TARGET_KINDS)('stickiness of a weighted forward, before a target %s', (kind) => {
  test('AWSALBTG and its twin hold the group until their time is over', async ({ expect, onTestFinished }) => {
    let next = 0
    const { port, clock } = await startRouted(kind, {
      groups: ['one', 'two'],
      defaultAction: weighted({ one: 1, two: 1 }, 60),
      random: () => next,
      onTestFinished,
    })

    const first = await getSticky(port)
    expect(first.setCookies).toEqual([
      expect.stringMatching(/^AWSALBTG=[A-Za-z0-9+/=]+; Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=\/$/),
      expect.stringMatching(/^AWSALBTGCORS=[A-Za-z0-9+/=]+; Expires=.+ GMT; Path=\/; SameSite=None; Secure$/),
    ])
    next = 0.9
    const [withCookie, without] = [await getSticky(port, first.cookie), await getSticky(port)]
    expect([first.group, withCookie.group, without.group]).toEqual(['one', 'one', 'two'])
    const forged = await getSticky(port, `${first.cookie.slice(0, -8)}AAAAAAA=`)
    expect(forged.group).toBe('two')
    await clock.advance(61_000)
    expect((await getSticky(port, first.cookie)).group).toBe('two')
  })

  test('ends when the group has left the rule or has no weight', async ({ expect, onTestFinished }) => {
    const { port, balancer } = await startRouted(kind, {
      groups: ['one', 'two'],
      defaultAction: weighted({ one: 1, two: 0 }, 60),
      onTestFinished,
    })
    const { cookie, group } = await getSticky(port)
    const rules = balancer.listeners[0]?.rules

    rules?.setDefaultAction(weighted({ one: 0, two: 1 }, 60))
    const weightless = await getSticky(port, cookie)
    rules?.setDefaultAction(weighted({ two: 1 }, 60))
    const gone = await getSticky(port, cookie)

    expect([group, weightless.group, gone.group]).toEqual(['one', 'two', 'two'])
  })
})
