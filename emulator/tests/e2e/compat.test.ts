import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { runCommand, startCommand, temporaryFolder } from './command.ts'

test('start --compat deepgram answers in the shapes of Deepgram', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  const { ready } = await startCommand(['--compat', 'deepgram', '--engine', 'scripted'], folder, onTestFinished)

  const answer = await fetch(`${ready.url}/v1/listen`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ready.key}` },
    body: await readFile(fixturePath('audio', 'jfk.wav')),
  })

  const word = { word: 'and', punctuated_word: 'And', start: expect.any(Number), end: expect.any(Number) }
  expect(await answer.json()).toMatchObject({
    results: { channels: [{ alternatives: [{ words: expect.arrayContaining([expect.objectContaining(word)]) }] }] },
  })
})

test('start names the shapes that there are', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)

  const { exitCode, stderr } = await runCommand(['start', '--compat', 'nova'], folder)

  expect(exitCode).toBe(2)
  expect(stderr).toContain('The API cannot answer as nova does.')
  expect(stderr).toContain('Known: aldea, deepgram.')
})
