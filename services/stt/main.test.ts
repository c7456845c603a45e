import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { openStream, tone, wavOf } from './testing.ts'

test('runs alone from environment variables and stops on SIGTERM', async ({ expect, onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'stt-main-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const script = join(folder, 'script.json')
  await writeFile(script, JSON.stringify({ default: 'hello world' }))

  const child = spawn(process.execPath, ['--import', 'tsx', 'services/stt/main.ts'], {
    env: { PATH: process.env['PATH'], ENGINE: 'scripted', SCRIPT_FILE: script, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const url = await listeningUrl(child.stderr)

  const response = await fetch(`${url}/transcribe`, { method: 'POST', body: wavOf(tone(1)) })
  expect(await response.json()).toMatchObject({ text: 'hello world', audioSeconds: 1 })
  const stream = await openStream(onTestFinished, url, 'encoding=linear16')
  stream.send(tone(1))
  stream.say('CloseStream')
  expect((await stream.closed).code).toBe(1000)
  expect(stream.messages.at(-1)).toEqual({ type: 'Summary', audioSeconds: 1 })

  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('names everything that is wrong with its variables', async ({ expect }) => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'services/stt/main.ts'], {
    env: { PATH: process.env['PATH'], ENGINE: 'scripted', MAX_AUDIO_SECONDS: 'long' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  for await (const chunk of child.stderr) output += String(chunk)
  const line = JSON.parse(output) as { msg: string; err: { message: string } }
  expect(line.msg).toBe('start failed')
  expect(line.err.message).toContain('SCRIPT_FILE is missing')
  expect(line.err.message).toContain('MAX_AUDIO_SECONDS is "long"; it must be a whole number above 0.')
})

async function listeningUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  let output = ''
  for await (const chunk of stderr) {
    output += String(chunk)
    const port = /"port":(\d+)/.exec(output)?.[1]
    if (port) return `http://127.0.0.1:${port}`
  }
  throw new Error(`The server ended: ${output}`)
}
