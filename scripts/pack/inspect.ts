import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { RUNTIME_LIBRARIES } from './stage.ts'

const run = promisify(execFile)

/** There are about 550. Thousands would be something that got in by mistake. */
const MAX_ENTRIES = 2_000

/** Fails when the package has the wrong shape, or the tarball files that users must not get or cannot do without. */
export async function inspectPackage(stage: string, tarball: string): Promise<void> {
  const { stdout } = await run('tar', ['-tzf', tarball], { maxBuffer: 64 * 1024 * 1024 })
  const entries = stdout.split('\n').map((entry) => entry.replace(/^package\//, ''))
  const { pkg, messages } = await publint({ pkgDir: stage, pack: false, strict: true })

  const problems = [
    ...messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code),
    ...entries.filter(isUnwanted).map((entry) => `${entry} must not be in the package`),
    ...NEEDED.filter((name) => !entries.includes(name)).map((name) => `${name} is missing from the package`),
    ...(entries.length > MAX_ENTRIES ? [`${entries.length} files are too many`] : []),
  ]
  if (problems.length > 0) throw new Error(`The package is not fit to publish:\n  ${problems.join('\n  ')}`)
  console.log(`examined ${entries.length} files`)
}

const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES.md',
  'dist/emulator/cli/main.js',
  'dist/LICENCES.txt',
  'fixtures/audio/jfk.wav',
  'fixtures/models/silero-vad/model.onnx',
  'fixtures/models/whisper-tiny.en/model.json',
  ...Object.entries(RUNTIME_LIBRARIES).flatMap(([platform, names]) =>
    names.map((name) => `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${name}`),
  ),
]

/** Sources, tests, and other packages than the two halves of the runtime. */
function isUnwanted(entry: string): boolean {
  if (entry.startsWith('node_modules/')) return !/^node_modules\/onnxruntime-(node|common)\//.test(entry)
  return (entry.endsWith('.ts') && !entry.endsWith('.d.ts')) || /\.test\.|\/tests\/|\/contract\.js$/.test(entry)
}
