import { CONTAINER_DEFAULTS } from '../container/options.ts'
import { containerRedis } from './container.ts'
import { redisContract } from './contract.ts'

redisContract(containerRedis({ ...CONTAINER_DEFAULTS, isThrowAway: true }))
