/**
 * Kills a starting or running environment with SIGKILL at random moments, again and again in one folder: nothing may stay
 * alive, and the start after the last kill must recognise speech. The short form runs with every `npm run test:e2e`.
 *
 *   npm run drill kill [kills]      default 100, about three minutes
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../services/wire/package-root.ts'

const [kills = '100'] = process.argv.slice(2)
const vitest = join(packageRoot, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', 'vitest.e2e.config.ts', 'emulator/tests/e2e/kill.test.ts'],
  { cwd: packageRoot, stdio: 'inherit', env: { ...process.env, DRILL_KILLS: kills } },
)
process.exitCode = status ?? 1
