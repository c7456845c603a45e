import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export type HostCommand = 'postgres' | 'redis' | 'db-sync' | 'function' | Failover | 'stop'

export type Failover = 'failover of postgres' | 'failover of redis'

/** What an environment says when it is there. */
export interface HostReady {
  readonly variables: Readonly<Record<string, string>>
  readonly queueUrls: Readonly<Record<string, string>>
}

/** An environment in a process of its own, which may be killed and started again in its folder. */
export interface Hosted {
  /** Of the present process; ports change with each. */
  readonly ready: HostReady
  send(command: Exclude<HostCommand, 'stop'>): void
  /** Kills the process with SIGKILL and waits until another one is there. */
  killAndRestart(): Promise<void>
  stop(): Promise<void>
}

export async function startHost(baseDir: string, cacheDir: string): Promise<Hosted> {
  let { child, ready } = await startOne(baseDir, cacheDir)
  return {
    get ready() {
      return ready
    },
    send(command) {
      child.send(command)
    },
    async killAndRestart() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      ;({ child, ready } = await startOne(baseDir, cacheDir))
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.send('stop' satisfies HostCommand)
      await exited
    },
  }
}

/** @throws Error when the process ends before it is ready */
async function startOne(baseDir: string, cacheDir: string): Promise<{ child: ChildProcess; ready: HostReady }> {
  const child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), [baseDir, cacheDir])
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The environment ended before it was ready, with ${String(signal ?? code)}.`)
  })
  exited.catch(() => undefined)
  const [ready] = (await Promise.race([once(child, 'message'), exited])) as [HostReady]
  return { child, ready }
}
