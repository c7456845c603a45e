import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'vitest'
import { readJournal } from './journal.ts'
import { temporary } from './testing.ts'

const canLimit = spawnSync('bash', ['-c', 'type prlimit']).status === 0

/** Five blocks of 1024 bytes. */
const LIMIT = 'ulimit -S -f 5; exec "$0" --import tsx --input-type=module -e "$1"'

/** Appends beyond the limit, which ends in the middle of a line, raises it, appends once more; prints what was said. */
const WRITER = `
  import { execFileSync } from 'node:child_process'
  import { writeSync } from 'node:fs'
  const { openJournal } = await import(process.env.JOURNAL)
  process.on('SIGXFSZ', () => {})
  const journal = openJournal({ path: process.env.FILE, snapshot: () => [], liveBytes: () => Infinity })
  const say = () => new Promise((resolve) => journal.whenWritten((error) => resolve(writeSync(1, (error ? 'full' : 'kept') + ' '))))
  for (const serial of [1, 2, 3, 4, 5]) {
    journal.append(['remove', 'u'.repeat(1500), serial])
    await say()
  }
  execFileSync('prlimit', ['--fsize=unlimited', '--pid', String(process.pid)])
  journal.append(['remove', 'short', 6])
  await say()
  process.exit()
`

test.skipIf(!canLimit)(
  'what a full disk did not take is written when there is room, whole and in order',
  async ({ expect, onTestFinished }) => {
    const path = join(await temporary(onTestFinished), 'queues.jsonl')
    readJournal(path)
    const variables = { JOURNAL: pathToFileURL(join(import.meta.dirname, 'journal.ts')).href, FILE: path }
    const { stdout } = spawnSync('bash', ['-c', LIMIT, process.execPath, WRITER], {
      env: { ...process.env, ...variables },
      encoding: 'utf8',
    })
    expect(stdout.trim().split(' ')).toEqual(['kept', 'kept', 'kept', 'full', 'full', 'kept'])
    expect(readJournal(path).map((record) => record.at(-1))).toEqual([1, 2, 3, 4, 5, 6])
  },
)
