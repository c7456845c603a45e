import { connect } from 'node:net'
import type { BackendWatch } from './watch.ts'

/** The port of a running backend. */
export function portOf({ url }: { readonly url: string }): number {
  return Number(new URL(url).port)
}

/** Why nobody answers there; undefined when somebody does. */
export function connectError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

/** Notes why a backend was lost, and `restored`. */
export function notingWatch(): { readonly heard: readonly string[]; readonly watch: BackendWatch } {
  const heard: string[] = []
  const watch = { lost: (reason: string) => void heard.push(reason), restored: () => void heard.push('restored') }
  return { heard, watch }
}
