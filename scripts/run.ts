/**
 * Runs one script of a folder by name: `tsx scripts/run.ts bench start 7` runs scripts/bench/start.ts with `7`.
 * Without a name it lists what there is; with `--help` it prints the file's header, which says what it does and how to read it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../services/wire/package-root.ts'

const [folder = '', name, ...rest] = process.argv.slice(2)
const scripts = join(packageRoot, 'scripts', folder)
const file = join(scripts, `${name}.ts`)

if (name === undefined || !existsSync(file)) {
  const names = readdirSync(scripts).flatMap((each) => /^(.+)\.ts$/.exec(each)?.[1] ?? [])
  console.error(`npm run ${folder} <name>: ${names.join(', ')}`)
  process.exitCode = 2
} else if (rest.includes('--help')) {
  const [, header = ''] = /^\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(file, 'utf8')) ?? []
  console.log(header.replaceAll(/^ \* ?/gm, ''))
} else {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...rest], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
