import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test, vi } from 'vitest'
import { openTemporaryDir } from './temporary-dir.ts'

test('what a killed process has left goes, and nothing else does', async ({ expect, onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-test-'))
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true, force: true })
  })
  const killed = spawn(process.execPath, ['--eval', ''], { stdio: 'ignore' })
  await once(killed, 'exit')
  const left = join(folder, `aldea-local-${killed.pid}-abcdef`, 'default')
  await mkdir(left, { recursive: true })
  await writeFile(join(left, 'secrets.json'), '{}')
  const others = [`aldea-local-${process.ppid}-abcdef`, 'aldea-local-notes', 'aldea-test-cache']
  for (const name of others) await mkdir(join(folder, name))

  const foreign = vi.spyOn(process, 'getuid').mockReturnValue((process.getuid?.() ?? 0) + 1)
  const first = await openTemporaryDir()
  await first.remove()
  foreign.mockRestore()
  expect(await readdir(left)).toEqual(['secrets.json'])

  const opened = await openTemporaryDir()
  const beside = await openTemporaryDir()

  const own = [opened, beside].map(({ path }) => basename(path))
  expect((await readdir(folder)).toSorted()).toEqual([...others, ...own].toSorted())
  await opened.remove()
  await beside.remove()
  expect((await readdir(folder)).toSorted()).toEqual(others.toSorted())
})
