import { readdir, readFile } from 'node:fs/promises'

/** CPU time of some threads of this process, where the system tells (Linux). */
export interface Threads {
  cpuSeconds(): Promise<number>
}

// Of /proc/self/task/*/stat, counted after the name in brackets; both in hundredths of a second.
const USER_FIELD = 11
const SYSTEM_FIELD = 12
const TICKS_PER_SECOND = 100

/** The threads that start while `start` runs. */
export async function threadsOf<T>(start: () => Promise<T>): Promise<{ value: T; threads: Threads }> {
  const before = new Set(await threadIds())
  const value = await start()
  const ids = (await threadIds()).filter((id) => !before.has(id))
  return {
    value,
    threads: {
      cpuSeconds: async () => (await Promise.all(ids.map(cpuSecondsOf))).reduce((sum, each) => sum + each, 0),
    },
  }
}

async function threadIds(): Promise<string[]> {
  return readdir('/proc/self/task').catch(() => [])
}

async function cpuSecondsOf(id: string): Promise<number> {
  const stat = await readFile(`/proc/self/task/${id}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_FIELD] ?? 0) + Number(fields[SYSTEM_FIELD] ?? 0)) / TICKS_PER_SECOND
}
