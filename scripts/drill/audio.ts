/**
 * Decodes a recording in every format in random pieces, and cut short and damaged at random: the same samples, or a refusal, and
 * never a crash or a hang. The short form runs with every `npm test`.
 *
 *   npm run drill audio [runs]      of each property and file; default 1000, about a quarter of an hour
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../services/wire/package-root.ts'

const [runs = '1000'] = process.argv.slice(2)
const vitest = join(packageRoot, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', 'services/stt/audio/formats.test.ts', '--testTimeout', '0', '--silent'],
  { cwd: packageRoot, stdio: 'inherit', env: { ...process.env, ALDEA_AUDIO_RUNS: runs } },
)
process.exitCode = status ?? 1
