/**
 * Runs at the end of `npm ci`, so that `npx aldea-local` works in a checkout. npm runs it again before each
 * `npx aldea-local` (npm 10 every time, npm 11 once), hence the two short cuts.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const command = join(root, 'dist/emulator/cli/main.js')
const canBuild = existsSync(join(root, 'node_modules/typescript/bin/tsc'))
const isStartedByNpx = process.env.npm_command === 'exec'

if (!canBuild) {
  if (!existsSync(command)) writeExplanation()
} else if (!isStartedByNpx || !existsSync(command)) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

/**
 * Without development dependencies nothing can be built. npx remembers a package whose command is missing and fails on
 * it forever, so there is one that says what to do.
 */
function writeExplanation() {
  mkdirSync(dirname(command), { recursive: true })
  writeFileSync(
    command,
    `#!/usr/bin/env node
process.stderr.write('✖ This checkout is not built.\\n\\n  Try   npm ci\\n')
process.exitCode = 4
`,
  )
  chmodSync(command, 0o755)
}
