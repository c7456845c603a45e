/** The process that the drill kills: an environment in a given folder, and faults by message. */
import { join } from 'node:path'
import { startEnvironment, type StartedEnvironment } from '../../../emulator/index.ts'
import type { Failover, HostCommand, HostReady } from './hosted.ts'

const [baseDir = '', cacheDir = join(baseDir, 'cache')] = process.argv.slice(2)
const environment = await startEnvironment({
  profile: 'ecs-b',
  engine: 'scripted',
  baseDir,
  cacheDir,
  backends: { mode: 'embedded' },
})
// Without its parent it would run for ever.
process.once('disconnect', () => process.exit(1))
process.on('message', (command: HostCommand) => void obey(command))
const { variables, queueUrls } = environment
process.send?.({ variables, queueUrls } satisfies HostReady)

async function obey(command: HostCommand): Promise<void> {
  if (command === 'stop') {
    await environment.stop()
    process.exit(0)
  }
  if (isFailover(command)) await failOver(environment, command)
  else kill(environment, command)
}

function isFailover(command: HostCommand): command is Failover {
  return command.startsWith('failover of ')
}

/** In one second, so that there is room for others. One that is under way, or meets a kill, is reason enough for none. */
async function failOver({ faults }: StartedEnvironment, what: Failover): Promise<void> {
  const backend = what === 'failover of redis' ? 'redis' : 'postgres'
  await faults.failover(backend, { durationMs: 1_000 }).catch(() => undefined)
}

function kill({ faults, topology }: StartedEnvironment, what: Exclude<HostCommand, 'stop' | Failover>): void {
  const reader = topology.functions.find(({ eventSource }) => eventSource !== undefined)
  if (what === 'function') faults.killFunction(reader?.name ?? '')
  else if (what === 'db-sync') faults.killTask(what)
  else faults.killBackend(what)
}
