import type { Socket } from 'node:net'
import type { ConnectionTransport, ConnectionTransportEvent } from 'js-redis-server/core'

/**
 * A client's connection as js-redis-server wants it. Its own class waits for every reply to reach the kernel before it
 * takes the next command, which makes long pipelines slow; here replies of one turn leave together, and only a client
 * that does not read makes us wait.
 */
export class SocketTransport implements ConnectionTransport {
  readonly id: string
  readonly #socket: Socket
  readonly #ended = new AbortController()
  #isCorked = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.id = `${socket.remoteAddress}:${socket.remotePort}`
    // 'error' is always followed by 'close'; without a listener it would end the process.
    socket.on('error', () => {})
    socket.on('close', () => this.#ended.abort())
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async *read(): AsyncIterable<Buffer> {
    for await (const chunk of this.#socket) {
      if (this.signal.aborted) return
      yield chunk as Buffer
    }
  }

  write(chunk: Buffer): void | Promise<void> {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    if (!this.#isCorked) this.#corkForThisTurn()
    if (!socket.write(chunk)) return this.#drained()
  }

  close(): void {
    this.#ended.abort()
    this.#socket.destroySoon()
  }

  on(event: ConnectionTransportEvent, listener: (error?: Error) => void): () => void {
    const heard = (error?: unknown): void => listener(error instanceof Error ? error : undefined)
    this.#socket.on(event, heard)
    return () => this.#socket.off(event, heard)
  }

  #corkForThisTurn(): void {
    this.#isCorked = true
    this.#socket.cork()
    setImmediate(() => {
      this.#isCorked = false
      this.#socket.uncork()
    })
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#socket.off('drain', settle).off('close', settle)
        resolve()
      }
      this.#socket.on('drain', settle).on('close', settle)
    })
  }
}
