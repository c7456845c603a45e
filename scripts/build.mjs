/**
 * Compiles the product: `node scripts/build.mjs [folder]` (default `dist`).
 * Plain JavaScript, because `prepare` needs it before any development tool is installed.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const out = resolve(process.argv[2] ?? join(root, 'dist'))

const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', out], {
  stdio: 'inherit',
})
// The compiler writes plain files; a command has to be executable or npx answers "Permission denied".
const command = join(out, 'emulator/cli/main.js')
if (existsSync(command)) chmodSync(command, 0o755)
process.exitCode = status ?? 1
