import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../../services/wire/clock.ts'
import { systemIds } from '../../../../services/wire/ids.ts'
import { silentLog } from '../../../../services/wire/log.ts'
import { startAwsEndpoint } from '../../../aws/endpoint.ts'
import type { QueueServer } from '../contract.ts'
import type { QueueAdapter } from '../port.ts'
import { REGION } from './world.ts'

/** An adapter behind an endpoint of its own, with a state folder that goes when it stops. */
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
  const refuse = (): void => undefined
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: () => backend, functions: refuse })
  return {
    endpoint: endpoint.url,
    async stop() {
      await backend.stop()
      await endpoint.stop()
      await rm(stateDir, { recursive: true })
    },
  }
}
