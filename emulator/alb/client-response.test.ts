import type { ServerResponse } from 'node:http'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { createTarget, healthCheck, register, startTestBalancer } from '../tests/test-balancer.ts'

/** The ways in which a program may write its cookies. */
const WRITERS: readonly ((response: ServerResponse, cookies: readonly string[]) => void)[] = [
  (response, cookies) => void response.setHeader('Set-Cookie', cookies).writeHead(200).end(),
  (response, cookies) => {
    for (const cookie of cookies) response.appendHeader('set-cookie', cookie)
    response.end()
  },
  (response, cookies) => void response.writeHead(200, { 'Set-Cookie': [...cookies], 'X-Other': 'kept' }).end(),
  (response, cookies) => void response.writeHead(200, 'Fine', { 'set-cookie': [...cookies] }).end(),
  (response, cookies) =>
    void response
      .writeHead(
        200,
        cookies.flatMap((cookie) => ['Set-Cookie', cookie]),
      )
      .end(),
  (response, cookies) => {
    // The types know of flat lists only; Node takes pairs as well.
    const pairs: unknown = cookies.map((cookie) => ['Set-Cookie', cookie])
    response.writeHead(200, pairs as string[]).end()
  },
]

test('however a target writes its cookies, all reach the client, in order, before the balancer’s own', async ({
  expect,
  onTestFinished,
}) => {
  const stickiness = { type: 'lb_cookie', durationSeconds: 60 } as const
  const targetGroups = [{ name: 'web', healthCheck, stickiness }]
  const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups })
  let write = (response: ServerResponse): unknown => response.end()
  await register(balancer, 'web', [createTarget('one', (_, response) => void write(response))])

  const cookies = fc.array(fc.stringMatching(/^[a-z]{1,8}=[A-Za-z0-9]{0,12}(; Path=\/)?$/), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(cookies, fc.constantFrom(...WRITERS), async (own, writer) => {
      write = (response) => (own.length === 0 ? response.end() : writer(response, own))
      const { headers } = await fetch(`http://127.0.0.1:${port}/`)
      const names = headers.getSetCookie().map((each) => (each.startsWith('AWSALB') ? each.split('=')[0] : each))
      expect(names).toEqual([...own, 'AWSALB', 'AWSALBCORS'])
    }),
    { numRuns: 60 },
  )
})
