import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'vitest'
import { commandOf, identify, identifyByPs, isAlive, isGoneWithin } from './processes.ts'

test('a process is itself as long as it lives, and nothing afterwards', async ({ expect, onTestFinished }) => {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const identity = await identify(child.pid ?? 0)
  if (!identity) throw new Error('not found')
  expect(await isAlive(identity)).toBe(true)
  expect(await commandOf(identity.pid)).toBe('sleep 60')
  child.kill('SIGKILL')
  expect(await isGoneWithin(identity, 5_000)).toBe(true)
  expect(await identify(identity.pid)).toBeUndefined()
})

test('another process with the same pid is another process', async ({ expect }) => {
  expect(await isAlive({ pid: process.pid, startTime: '1' })).toBe(false)
})

test('a zombie is dead', async ({ expect, onTestFinished }) => {
  // The shell becomes a sleep, which never asks how its child ended; had it ended before that, the shell would have asked.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'])
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  await expect.poll(() => identify(Number(line))).toBeUndefined()
  expect(process.kill(Number(line), 0)).toBe(true)
  expect(await identifyByPs(Number(line))).toBeUndefined()
})

test('ps tells the same process apart where there is no /proc', async ({ expect }) => {
  const own = await identifyByPs(process.pid)
  expect(own).toEqual(await identifyByPs(process.pid))
  expect(own?.startTime).toMatch(/\d\d:\d\d:\d\d \d{4}$/)
})
