/**
 * Packs the package as users get it: `npx tsx scripts/pack.ts [--check] [--out FOLDER]` (default: the working folder).
 * With `--check` the tarball is also examined, installed into an empty folder and made to transcribe.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { inspectPackage } from './pack/inspect.ts'
import { trySmoke } from './pack/smoke.ts'
import { stagePackage } from './pack/stage.ts'

const run = promisify(execFile)

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, out: { type: 'string' } } })
const work = await mkdtemp(join(tmpdir(), 'aldea-pack-'))
try {
  const out = resolve(values.out ?? (values.check ? join(work, 'out') : '.'))
  const stage = join(work, 'package')
  await mkdir(out, { recursive: true })
  await stagePackage(stage)
  const tarball = await pack(stage, out)
  const { size } = await stat(tarball)
  console.log(`packed ${tarball}, ${(size / 1e6).toFixed(1)} MB`)
  if (values.check) {
    await inspectPackage(stage, tarball)
    await trySmoke(tarball, join(work, 'consumer'))
    console.log('the package installs from the registry alone and transcribes')
  }
} finally {
  await rm(work, { recursive: true, force: true })
}

async function pack(stage: string, out: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
    cwd: stage,
    maxBuffer: 64 * 1024 * 1024,
  })
  const name = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1]
  if (name === undefined) throw new Error(`npm pack named no file: ${stdout}`)
  return join(out, name)
}
