/** The process under test: the built system with its real model, what it uses, and faults by message. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import type * as Library from '../../../emulator/index.ts'
import { packageRoot } from '../../../services/wire/package-root.ts'
import type { HostAnswer, HostQuestion } from './hosted.ts'

const [baseDir = ''] = process.argv.slice(2)
const library = pathToFileURL(join(packageRoot, 'dist', 'emulator', 'index.js')).href
// The same as its source, by whose types it is used here.
const { startEnvironment } = (await import(library)) as typeof Library

const speechServers: Record<string, string> = {}
const environment = await startEnvironment({
  profile: 'ecs-b',
  baseDir,
  cacheDir: join(baseDir, 'cache'),
  backends: { mode: 'embedded' },
  onEvent(event) {
    if (event.type !== 'part.ready' || !event.part.startsWith('stt-')) return
    const address = /^http:\S+/.exec(event.detail)?.[0]
    if (address) speechServers[event.part] = address
  },
})
// Without its parent it would run for ever.
process.once('disconnect', () => process.exit(1))
process.on('message', (question: HostQuestion) => void obey(question))
const { url, key, variables, topology } = environment
say({ type: 'ready', url, variables, key, organisation: topology.demo.organisation, speechServers })

async function obey(question: HostQuestion): Promise<void> {
  if (question.type === 'stop') {
    await environment.stop()
    process.exit(0)
  }
  if (question.type === 'kill') return environment.faults.killTask(question.service)
  if (question.type === 'cpu') return say({ type: 'cpu', cpuMs: cpuMs() })
  // Twice: what the first finds dead may have held more.
  globalThis.gc?.()
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  say({ type: 'usage', rssBytes: rss, heapBytes: heapUsed + external, cpuMs: cpuMs(), resources })
}

function cpuMs(): number {
  const { user, system: inSystem } = process.cpuUsage()
  return (user + inSystem) / 1_000
}

function say(answer: HostAnswer): void {
  process.send?.(answer)
}
