import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { Agent, request } from '../../../services/wire/undici.ts'
import type { RequestExplanation } from '../../alb/explain/explain-request.ts'
import { startTestEnvironment } from '../test-environment.ts'

test('over HTTPS a request is answered, explained, counted and logged; plain HTTP is sent there', async ({
  expect,
  onTestFinished,
}) => {
  const baseDir = await mkdtemp(join(tmpdir(), 'aldea-test-'))
  onTestFinished(() => rm(baseDir, { recursive: true, force: true }))
  const https = { port: 0, redirects: true }
  const environment = await startTestEnvironment({ onTestFinished, baseDir, https })
  const { url, httpsUrl = '', variables, awsEndpoint, metrics, accessLogDir } = environment
  const ca = await readFile(variables['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8')
  const agent = new Agent({ allowH2: true, connect: { ca } })
  onTestFinished(() => agent.close())

  const moved = await request(`${url}/plans?a=b`)
  await moved.body.dump()
  expect(moved.statusCode).toBe(301)
  expect(moved.headers['location']).toBe(`${httpsUrl}/plans?a=b`)

  const headers = { 'x-aldea-explain': '1', 'user-agent': 'seen' }
  const answer = await request(`${httpsUrl}/plans?a=b`, { dispatcher: agent, headers })
  await answer.body.dump()
  expect(answer.statusCode).toBe(200)
  expect(answer.headers).toMatchObject({ 'x-aldea-rule': '410', 'x-aldea-target-group': 'backend' })

  const asked = { protocol: 'https', method: 'GET', url: '/v1/listen', headers: { upgrade: 'websocket' } }
  const route = await request(`${awsEndpoint}/_aldea/route`, { method: 'POST', body: JSON.stringify(asked) })
  expect((await route.body.json()) as RequestExplanation).toMatchObject({ action: 'forward to ws-proxy' })

  await environment.events.next('alb.access', { where: ({ access }) => access.kind === 'h2' })
  const sumOf = (name: string): number =>
    metrics
      .read()
      .filter(({ metric, dimensions }) => metric === name && Object.keys(dimensions).length === 1)
      .reduce((total, { sum }) => total + sum, 0)
  expect([sumOf('RequestCount'), sumOf('HTTP_Redirect_Count'), sumOf('HTTPCode_Target_2XX_Count')]).toEqual([1, 1, 1])

  await environment.stop()
  const texts = await Promise.all(
    (await readdir(accessLogDir)).map((name) => readFile(join(accessLogDir, name), 'utf8')),
  )
  const lines = texts.join('').trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain(`301 - `)
  expect(lines[0]).toContain(`"redirect" "${httpsUrl}/plans?a=b"`)
  expect(lines[1]).toMatch(
    /^h2 .* 200 200 .* "seen" TLS_AES_256_GCM_SHA384 TLSv1\.3 arn:aws:elasticloadbalancing:us-west-2:/,
  )
})
