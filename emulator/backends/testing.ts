import { connect } from 'node:net'

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
