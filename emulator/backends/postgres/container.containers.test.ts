import { CONTAINER_DEFAULTS } from '../container/options.ts'
import { containerPostgres } from './container.ts'
import { postgresContract } from './contract.ts'

postgresContract(containerPostgres(CONTAINER_DEFAULTS))
