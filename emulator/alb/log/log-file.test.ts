import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { systemIds } from '../../../services/wire/ids.ts'
import { createAwsNames } from '../names.ts'
import { openLogFiles } from './log-file.ts'

const START_MS = Date.UTC(2025, 0, 1)

test('lines that come together go to the files of their own five minutes', async ({ expect, onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const files = openLogFiles({
    folder,
    names: createAwsNames({ name: 'test', region: 'us-west-2', accountId: '000000000000' }),
    address: '127.0.0.1',
    ids: systemIds,
    limits: { fileBytes: 1024, files: 10 },
  })
  await files.append([
    { text: 'one', at: START_MS },
    { text: 'two', at: START_MS + 299_999 },
    { text: 'three', at: START_MS + 300_000 },
  ])
  await files.append([{ text: 'four', at: START_MS + 300_001 }])
  await files.close()

  const texts = new Map<string | undefined, string>()
  for (const name of await readdir(folder)) {
    texts.set(/_(\d{8}T\d{4}Z)_/.exec(name)?.[1], await readFile(join(folder, name), 'utf8'))
  }
  expect(texts).toEqual(
    new Map([
      ['20250101T0005Z', 'one\ntwo\n'],
      ['20250101T0010Z', 'three\nfour\n'],
    ]),
  )
})
