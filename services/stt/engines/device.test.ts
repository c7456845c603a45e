import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { silentLog, type Log } from '../../wire/log.ts'
import { readFacts } from '../devices/facts.ts'
import { startServer, testRuntime } from '../testing.ts'

/** A log whose warnings are kept. */
function warningsInto(lines: string[]): Log {
  const log: Log = {
    ...silentLog,
    warn: (...said: unknown[]) => void lines.push(String(said.at(-1))),
    child: () => log,
  }
  return log
}

test('a GPU that is not here is said in one line, and the CPU recognises', async ({ expect, onTestFinished, skip }) => {
  const { missingLibraries, driverNodes } = readFacts()
  if (missingLibraries.length === 0 && driverNodes.length > 0) skip('This machine has CUDA.')
  const warnings: string[] = []
  const runtime = { ...testRuntime(), log: warningsInto(warnings) }

  const { url, running } = await startServer(onTestFinished, { DEVICE: 'cuda', WORKERS: '1' }, runtime)
  const health: unknown = await (await fetch(`${url}/health`)).json()
  const stats: unknown = await (await fetch(`${url}/stats`)).json()
  const body = await readFile('fixtures/audio/jfk.wav')
  const transcript: unknown = await (await fetch(`${url}/transcribe`, { method: 'POST', body })).json()

  expect(warnings).toEqual([expect.stringMatching(/^cuda cannot be used, the CPU is: .+/)])
  expect(health).toMatchObject({ device: 'cpu' })
  const reason = expect.stringMatching(/NVIDIA driver|is not in|are not in|Linux x64 only/) as string
  expect(stats).toMatchObject({ device: { name: 'cpu', reason } })
  expect(running.about).toBe('tiny.en on cpu')
  expect(transcript).toMatchObject({ text: expect.stringMatching(/country/) as string })
})

test('nobody who did not ask for a GPU is told about it', async ({ expect, onTestFinished }) => {
  const warnings: string[] = []
  const runtime = { ...testRuntime(), log: warningsInto(warnings) }

  const { url } = await startServer(onTestFinished, { WORKERS: '1' }, runtime)

  // The bundled model is of int8, which no GPU has a form of.
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ device: 'cpu' })
  expect(warnings).toEqual([])
})

test('DEVICE is one of four', async ({ expect, onTestFinished }) => {
  await expect(startServer(onTestFinished, { DEVICE: 'gpu' })).rejects.toThrow(
    'DEVICE is "gpu"; it must be one of auto, cpu, cuda, webgpu.',
  )
})
