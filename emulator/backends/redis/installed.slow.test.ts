import { test } from 'vitest'
import { connected, contextIn, started, temporary } from './contract.ts'
import { installedRedis } from './installed.ts'
import { notingWatch } from '../testing.ts'

const adapter = installedRedis()
const probed = await adapter.probe()

/** So much that a disk is busy with it for a while, in pieces. */
const PIECE = 'x'.repeat(1 << 20)
const PIECES = 600

test.skipIf(!probed.available)(
  'what was acknowledged while the file is written to disk survives a kill',
  async ({ expect, onTestFinished }) => {
    const { heard, watch } = notingWatch()
    const context = { ...contextIn(await temporary(onTestFinished)), watch }
    const { url, kill } = await started(adapter, context, onTestFinished)
    const client = connected(url, onTestFinished)
    for (let piece = 0; piece < PIECES; piece += 1) {
      await client.set('piece', PIECE)
      if (/aof_pending_bio_fsync:1/.test(await client.info('persistence'))) break
    }

    await client.set('last', 'written')
    kill?.()

    await expect.poll(() => heard, { timeout: 30_000 }).toEqual(['redis ended with SIGKILL.', 'restored'])
    expect(await connected(url, onTestFinished).get('last')).toBe('written')
  },
)
