import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe, test } from 'vitest'
import { healthCheck, openSocket, readUntil, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { nextChecks, startPatient } from '../../tests/test-patient.ts'
import type { TargetGroupConfig } from '../model.ts'
import { TARGET_KINDS } from './testing.ts'

const IDS = ['one', 'two', 'three']
const sticky: TargetGroupConfig = {
  name: 'web',
  healthCheck,
  stickiness: { type: 'lb_cookie', durationSeconds: 86_400 },
}

interface Answer {
  readonly body: string
  readonly setCookies: readonly string[]
  /** What a browser sends next time. */
  readonly cookie: string
}

/** One request with these cookies. */
function ask(port: number, cookie = '', path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = cookie === '' ? {} : { cookie }
    const sent = request({ host: '127.0.0.1', port, path, headers }, (response: IncomingMessage) => {
      const setCookies = response.headers['set-cookie'] ?? []
      const pairs = setCookies.map((each) => each.slice(0, each.indexOf(';')))
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ body, setCookies, cookie: pairs.join('; ') }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe.for(TARGET_KINDS)('item 8, before a target %s', (kind) => {
  test('AWSALB and AWSALBCORS are on every response when sticky, beside the application’s own', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups: [sticky] })
    const { target } = await startPatient({
      kind,
      id: 'one',
      onTestFinished,
      answer: (_, response) => response.writeHead(200, { 'Set-Cookie': ['a=1', 'b=2; Path=/'] }).end(),
    })
    await register(balancer, 'web', [target])

    const first = await ask(port)
    const second = await ask(port, first.cookie)

    for (const { setCookies } of [first, second]) {
      expect(setCookies).toEqual([
        'a=1',
        'b=2; Path=/',
        expect.stringMatching(/^AWSALB=[A-Za-z0-9+/=]{128,180}; Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=\/$/),
        expect.stringMatching(
          /^AWSALBCORS=[A-Za-z0-9+/=]{128,180}; Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=\/; SameSite=None; Secure$/,
        ),
      ])
    }
  })

  test('with the cookie every request goes to the same target, without it to the next', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups: [sticky] })
    const patients = await Promise.all(IDS.map((id) => startPatient({ kind, id, onTestFinished })))
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    await ask(port)

    const first = await ask(port)
    const kept: string[] = []
    let { cookie } = first
    for (let count = 0; count < 4; count += 1) {
      const answer = await ask(port, cookie)
      kept.push(answer.body)
      cookie = answer.cookie
    }

    expect(kept).toEqual([first.body, first.body, first.body, first.body])
    expect((await ask(port)).body).not.toBe(first.body)
    // Across sites a browser sends the twin alone.
    expect((await ask(port, first.cookie.slice(first.cookie.indexOf('AWSALBCORS')))).body).toBe(first.body)
  })

  test('a cookie of an unhealthy or deregistered target, or of nobody, gets a new target without an error', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port, clock } = await startTestBalancer({ onTestFinished, targetGroups: [sticky] })
    const patients = await Promise.all(IDS.map((id) => startPatient({ kind, id, onTestFinished })))
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    const first = await ask(port)
    const ill = patients.find(({ target }) => target.id === first.body)
    if (ill) ill.status = 503
    await nextChecks(clock, patients)
    await nextChecks(clock, patients)

    const second = await ask(port, first.cookie)
    balancer.targetGroup('web').deregister(second.body)
    const third = await ask(port, second.cookie)

    expect([first.body, second.body, third.body].toSorted()).toEqual(IDS.toSorted())
    expect(third.cookie).not.toBe(second.cookie)
    expect((await ask(port, third.cookie)).body).toBe(third.body)
    expect((await ask(port, 'AWSALB=bm9ib2R5')).body).toBe(third.body)
  })

  test('a handshake is sticky too, and its 101 has the cookies', async ({ expect, onTestFinished }) => {
    const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups: [sticky] })
    const patients = await Promise.all(IDS.map((id) => startPatient({ kind, id, onTestFinished })))
    for (const { server, target } of patients) {
      server.on('upgrade', (_, socket: Duplex) => {
        socket.on('error', () => undefined)
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${target.id};`,
        )
      })
    }
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    const { body, cookie } = await ask(port)

    for (let count = 0; count < 2; count += 1) {
      const socket = await openSocket(port, onTestFinished)
      socket.write(
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: ${cookie}\r\n\r\n`,
      )
      const received = await readUntil(socket, `${body};`)

      expect(received).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\n\w+;$/)
      expect(received.match(/^Set-Cookie: AWSALB(?:CORS)?=[^;]+; Expires=/gm)).toHaveLength(2)
    }
  })

  test('the application’s own cookie makes targets sticky, with AWSALBAPP-0 beside it', async ({
    expect,
    onTestFinished,
  }) => {
    const app: TargetGroupConfig = {
      ...sticky,
      stickiness: { type: 'app_cookie', cookieName: 'session', durationSeconds: 600 },
    }
    const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups: [app] })
    const start = (id: string): ReturnType<typeof startPatient> =>
      startPatient({
        kind,
        id,
        onTestFinished,
        answer(incoming, response) {
          if (incoming.url === '/login') response.setHeader('Set-Cookie', 'session=abc; HttpOnly')
          response.end(id)
        },
      })
    const patients = await Promise.all(IDS.map(start))
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )

    const login = await ask(port, '', '/login')

    expect(login.setCookies).toEqual([
      'session=abc; HttpOnly',
      expect.stringMatching(/^AWSALBAPP-0=[A-Za-z0-9+/=]+; Expires=Wed, 08 Jan 2025 00:00:00 GMT; Path=\/$/),
    ])
    for (let count = 0; count < 3; count += 1) {
      expect(await ask(port, login.cookie)).toEqual({ body: login.body, setCookies: [], cookie: '' })
    }
    const [, alone] = login.cookie.split('; ')
    expect((await ask(port, alone)).body).not.toBe(login.body)
  })
})

test('item 8: a cookie outlives a restart of the balancer, and its configured duration ends it', async ({
  expect,
  onTestFinished,
}) => {
  const patients = await Promise.all(IDS.map((id) => startPatient({ kind: 'in-process', id, onTestFinished })))
  const targets = patients.map(({ target }) => target)
  const targetGroups = [{ ...sticky, stickiness: { type: 'lb_cookie', durationSeconds: 5 } as const }]
  const options = { onTestFinished, targetGroups, cookieSecret: 'kept in the environment' }
  const before = await startTestBalancer(options)
  await register(before.balancer, 'web', targets)
  await ask(before.port)
  const { body, cookie } = await ask(before.port)
  await before.balancer.stop()

  const after = await startTestBalancer(options)
  await register(after.balancer, 'web', targets)

  expect((await ask(after.port, cookie)).body).toBe(body)
  await after.clock.advance(5_000)
  const bodies = [await ask(after.port, cookie), await ask(after.port, cookie), await ask(after.port, cookie)]
  expect(bodies.map((answer) => answer.body).toSorted()).toEqual(IDS.toSorted())
})
