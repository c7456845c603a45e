import { runAlone } from '../wire/standalone.ts'
import { start } from './service.ts'

await runAlone('transcribe', start, process.env)
