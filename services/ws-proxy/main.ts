import { runAlone } from '../wire/standalone.ts'
import { start } from './service.ts'

await runAlone('ws-proxy', start, process.env)
