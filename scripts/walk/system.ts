import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The whole system, started by the command as a user would, with a folder of its own. */
export interface StartedSystem {
  readonly url: string
  readonly key: string
  stop(): Promise<void>
}

/** @throws Error when the command ends without having become ready */
export async function startSystem(): Promise<StartedSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-walk-'))
  const tsx = join(dirname(createRequire(import.meta.url).resolve('tsx/package.json')), 'dist', 'cli.mjs')
  const command = fileURLToPath(new URL('../../emulator/cli/main.ts', import.meta.url))
  const child = spawn(process.execPath, [tsx, command, 'start', '--port', 'auto', '--backends', 'embedded', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')

  async function stop(): Promise<void> {
    child.kill('SIGINT')
    await exited
    await rm(folder, { recursive: true, force: true })
  }

  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<{ url: string; key: string }>((resolve, reject) => {
    // Read to the end: a full pipe would stop the system.
    lines.on('line', (line) => {
      const event: unknown = JSON.parse(line)
      if (isReady(event)) resolve(event)
    })
    lines.once('close', () => reject(new Error('The system did not start.')))
  })
  try {
    const { url, key } = await ready
    return { url, key, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function isReady(event: unknown): event is { url: string; key: string } {
  if (typeof event !== 'object' || event === null || !('type' in event) || event.type !== 'ready') return false
  return 'url' in event && typeof event.url === 'string' && 'key' in event && typeof event.key === 'string'
}
