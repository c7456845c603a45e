import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { bundled } from './bundled.ts'

export const SERVER_CORE = '0'
export const LOAD_CORE = '1'
export const canPin = spawnSync('taskset', ['--version']).status === 0

/** The command on that core alone, where that can be had. */
export function pinned(core: string, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', core, ...command] : command
}

/** A server under test: a process and one core of its own. */
export interface ServerProcess {
  /** What it said first. */
  readonly address: string
  /** CPU time it has used. What neighbours do to a core moves it less than any rate. */
  cpuMicros(): Promise<number>
  rssBytes(): Promise<number>
  stop(): Promise<void>
}

/** Runs a script whose process calls {@link sayAddress}: as users run it, without a loader. */
export async function startServerProcess(
  script: string,
  args: readonly string[],
  core = SERVER_CORE,
): Promise<ServerProcess> {
  const [command, ...rest] = pinned(core, [process.execPath, await bundled(script), ...args])
  const child = spawn(command ?? '', rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const address = String(await answerOf(child))
  const ask = async (question: 'cpu' | 'rss'): Promise<number> => {
    child.send(question)
    return Number(await answerOf(child))
  }
  return { address, cpuMicros: () => ask('cpu'), rssBytes: () => ask('rss'), stop: async () => void child.kill() }
}

/** The server's side: says its address, then, when asked, what it has used. It ends with the one who started it. */
export function sayAddress(address: string): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (question) => {
    if (question === 'rss') return void process.send?.(process.memoryUsage.rss())
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.send?.(address)
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  const exited = once(child, 'exit', ended).then(() => Promise.reject(new Error('A server has ended.')))
  try {
    const [answer] = (await Promise.race([once(child, 'message'), exited])) as [unknown]
    return answer
  } finally {
    exited.catch(() => undefined)
    ended.abort()
  }
}
