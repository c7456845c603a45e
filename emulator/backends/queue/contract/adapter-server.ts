import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../../services/wire/clock.ts'
import { systemIds } from '../../../../services/wire/ids.ts'
import { silentLog } from '../../../../services/wire/log.ts'
import type { QueueServer } from '../contract.ts'
import type { QueueAdapter } from '../port.ts'
import { REGION } from './world.ts'

/** An adapter behind a port of its own, with a state folder that goes when it stops. */
export async function serveAdapter(adapter: QueueAdapter): Promise<QueueServer> {
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-queue-'))
  const backend = await adapter.start({
    stateDir,
    region: REGION,
    queues: [],
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  })
  const server = createServer(backend.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      await backend.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(stateDir, { recursive: true })
    },
  }
}
