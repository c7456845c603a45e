import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { openKeptPorts } from './kept-ports.ts'
import { freePort } from './ports.ts'

test('a part has the port it had, until somebody else has that', async ({ expect, onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-ports-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [redis, postgres] = [await freePort(), await freePort()]

  const first = await openKeptPorts(folder)
  expect(await first.wanted('redis')).toBe(0)
  first.note('redis', `redis://127.0.0.1:${redis}`)
  first.note('postgres', `postgres://me:secret@127.0.0.1:${postgres}/aldea`)
  first.note('worker', undefined)
  await first.save()

  // One that lacks a part, as another stage may, forgets nothing of it.
  const second = await openKeptPorts(folder)
  expect([await second.wanted('redis'), await second.wanted('worker')]).toEqual([redis, 0])
  second.note('redis', `redis://127.0.0.1:${redis}`)
  await second.save()

  const third = await openKeptPorts(folder)
  const other = createServer().listen(postgres, '127.0.0.1')
  await once(other, 'listening')
  expect([await third.wanted('redis'), await third.wanted('postgres')]).toEqual([redis, 0])
  other.close()
  await once(other, 'close')
  expect(await third.wanted('postgres')).toBe(postgres)
})
