import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import { MAIN, temporaryFolder } from './command.ts'

/** A network namespace of its own, with nothing in it but loopback. */
const NAMESPACE = process.getuid?.() === 0 ? ['-n'] : ['-rn']
const reason = cannotIsolate()
if (reason !== undefined) process.stderr.write(`offline.test.ts is skipped: ${reason}\n`)

const SCRIPT = `
ip link set lo up || exit 9
"$@" start --port 8080 --backends embedded > ready.txt &
started=$!
until grep -q 'ready in' ready.txt; do kill -0 $started || exit 8; sleep 0.1; done
"$@" transcribe ${fixturePath('audio', 'jfk.wav')}
"$@" listen ${fixturePath('audio', 'jfk.wav')}
kill -INT $started
wait $started
`

test.skipIf(reason !== undefined)(
  'start, transcribe and listen work with no route out',
  async ({ expect, onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished)
    const command = [...NAMESPACE, 'sh', '-c', SCRIPT, 'sh', process.execPath, MAIN]

    const { stdout } = await promisify(execFile)('unshare', command, { cwd: folder }).catch((error: unknown) => {
      // The script ends with the exit code of `start`, which a signal ended.
      if (isExit(error, 130)) return error
      throw error
    })

    const [transcribed = '', ...listened] = stdout.trim().split('\n')
    expect(transcribed).toMatch(/ask not what your country can do for you/i)
    expect(listened.join(' ')).toMatch(/what your country can do for you/i)
  },
)

function cannotIsolate(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux.'
  const { status } = spawnSync('unshare', [...NAMESPACE, 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? undefined : 'unshare (util-linux) or ip (iproute2) is missing, or namespaces are not allowed.'
}

function isExit(error: unknown, code: number): error is { readonly stdout: string } {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code && 'stdout' in error
}
