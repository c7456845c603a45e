import { queueContract } from './contract.ts'
import { serveAdapter } from './contract/adapter-server.ts'
import { embeddedQueue } from './embedded.ts'

queueContract({ name: 'embedded', differences: [], start: () => serveAdapter(embeddedQueue()) })
