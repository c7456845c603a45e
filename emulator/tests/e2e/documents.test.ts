import { spawn } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { packageRoot } from '../../../services/wire/package-root.ts'
import { endOf, temporaryFolder, textOf } from './command.ts'

/** As if the package were installed: what lies elsewhere vitest would compile first. */
const CONFIG = `export default { test: { server: { deps: { external: [/\\/dist\\//] } } } }`

test('every test that a document shows passes', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)
  await mkdir(join(folder, 'node_modules'))
  await symlink(packageRoot, join(folder, 'node_modules', 'aldea-local'))
  await symlink(join(packageRoot, 'node_modules', 'vitest'), join(folder, 'node_modules', 'vitest'))
  await writeFile(join(folder, 'vitest.config.mjs'), CONFIG)
  const shown = await Promise.all(['README.md', 'docs/testing.md'].map(examplesOf))
  for (const [index, code] of shown.flat().entries()) await writeFile(join(folder, `${index}.test.ts`), code)

  const vitest = join(packageRoot, 'node_modules', 'vitest', 'vitest.mjs')
  // With containers, where there are some, it would take three times as long.
  const env = { ...process.env, DOCKER_HOST: 'unix:///nowhere' }
  const child = spawn(process.execPath, [vitest, 'run', '--reporter', 'json'], { cwd: folder, env })
  const [output, errors, exitCode] = await Promise.all([textOf(child.stdout), textOf(child.stderr), endOf(child)])

  expect({ exitCode, errors }, output).toEqual({ exitCode: 0, errors: '' })
  expect(JSON.parse(output)).toMatchObject({ numPassedTests: 3, numTotalTests: 3 })
})

async function examplesOf(document: string): Promise<readonly string[]> {
  const text = await readFile(join(packageRoot, document), 'utf8')
  return Array.from(text.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => code)
}
