import { Redis } from 'ioredis'
import { test } from 'vitest'
import { runCommand, startCommand, temporaryFolder } from './command.ts'

test('env prints where everything is, and sync check finds and repairs what Redis has lost', async ({
  expect,
  onTestFinished,
}) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand(['--engine', 'scripted'], folder, onTestFinished)
  const shown = await runCommand(['env', '--json'], folder)
  const variables = JSON.parse(shown.stdout) as Record<string, string>
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  onTestFinished(() => redis.disconnect())

  expect(variables).toMatchObject({
    ALDEA_URL: ready.url,
    DATABASE_URL: ready.backends['postgres'],
    QUEUE_URL: `${variables['AWS_ENDPOINT_URL']}/000000000000/prod-ws-proxy-org-sync`,
  })
  expect(await runCommand(['sync', 'check'], folder)).toMatchObject({ exitCode: 0, stdout: '' })

  await redis.flushall()
  const found = await runCommand(['sync', 'check'], folder)
  expect(found).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^demo\b.* missing /m) })

  expect(await runCommand(['sync', 'repair'], folder)).toMatchObject({ exitCode: 0 })
  expect(await runCommand(['sync', 'check'], folder)).toMatchObject({ exitCode: 0, stdout: '' })
  const status = await runCommand(['sync', 'status', '--org', 'demo'], folder)
  expect(status.stdout).toMatch(/^outbox {2}0 pending$/m)
  expect(status.stdout).toMatch(/^prod-ws-proxy-org-sync {2}0 waiting, 0 in flight/m)
  expect(status.stdout).toMatch(/^demo {2}.*in step$/m)
})
