import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'vitest'
import { startRedis } from '../account/testing.ts'
import { ADMIN_TOKEN, ask, usePostgres } from './testing.ts'

const openDatabase = usePostgres()

test('runs alone from environment variables and stops on SIGTERM', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const redis = await startRedis(onTestFinished)
  const child = spawn(process.execPath, ['--import', 'tsx', 'services/backend/main.ts'], {
    env: { PATH: process.env['PATH'], PORT: '0', DATABASE_URL: database.url, REDIS_URL: redis.url, ADMIN_TOKEN },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const url = await listeningUrl(child.stderr)

  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(await ask({ url }, 'POST /organisations', { body: { name: 'Acme' } })).toMatchObject({ status: 201 })

  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})

async function listeningUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  let output = ''
  for await (const chunk of stderr) {
    output += String(chunk)
    const port = /"port":(\d+)/.exec(output)?.[1]
    if (port) return `http://127.0.0.1:${port}`
  }
  throw new Error(`The backend ended: ${output}`)
}
