import { runAlone } from '../wire/standalone.ts'
import { start } from './service.ts'

await runAlone('db-sync', start, process.env)
