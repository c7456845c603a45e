import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { packageRoot } from '../../../services/wire/package-root.ts'
import { catalogue } from '../../core/errors.ts'

test('docs/errors.md explains every code of the catalogue, in its order, and no other', async ({ expect }) => {
  const entries = await readEntries()

  expect(entries.map(({ code }) => code)).toEqual(Object.keys(catalogue))
})

test('docs/errors.md gives every code its title and exit code', async ({ expect }) => {
  const entries = await readEntries()

  const documented = entries.map(({ code, summary }) => `${code}: ${summary}`)
  const real = Object.entries(catalogue).map(([code, { title, exit }]) => `${code}: ${title}. Exit code ${exit}.`)
  expect(documented).toEqual(real)
})

/** Each code is a heading; its first line tells title and exit code. */
async function readEntries(): Promise<readonly { code: string; summary: string }[]> {
  const text = await readFile(join(packageRoot, 'docs/errors.md'), 'utf8')
  return Array.from(text.matchAll(/^## (ALDEA_\w+)\n\n(.+)$/gm), ([, code = '', summary = '']) => ({ code, summary }))
}
