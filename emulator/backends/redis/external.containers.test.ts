import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { CONTAINER_DEFAULTS } from '../container/options.ts'
import { containerRedis } from './container.ts'
import { contextIn, redisContract } from './contract.ts'
import { externalRedis } from './external.ts'

const stateDir = await mkdtemp(join(tmpdir(), 'aldea-redis-'))
const server = await containerRedis({ ...CONTAINER_DEFAULTS, isThrowAway: true }).start(contextIn(stateDir))
afterAll(async () => {
  await server.stop()
  await rm(stateDir, { recursive: true })
})

redisContract(externalRedis(server.url))
