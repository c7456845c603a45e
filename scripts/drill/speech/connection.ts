import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { systemClock } from '../../../services/wire/clock.ts'
import { parseMessage, type Message } from './messages.ts'

/** Where the system is reached, and by whom. */
export interface Door {
  readonly url: string
  readonly key: string
}

export interface Closed {
  /** 1006 when the connection broke. */
  readonly code: number
  readonly reason: string
}

/** A client of the public API that keeps every message and waits for nothing for ever. */
export interface Connection {
  readonly socket: WebSocket
  readonly messages: readonly Message[]
  /** What went wrong before or beside the protocol; what the drill breaks itself is none. */
  readonly trouble: readonly string[]
  readonly isOpen: boolean
  say(type: 'CloseStream' | 'Finalize' | 'KeepAlive'): void
  /** Ends early when the connection is gone. */
  wait(ms: number): Promise<void>
  /** Resolves when little waits to be sent: a socket that takes all at once proves nothing about back-pressure. */
  room(): Promise<void>
  /** From now on errors are the drill's own. Gives the connection below the WebSocket, which `ws` keeps to itself. */
  toBreak(): Socket | undefined
  /** The close, in patience's time: whoever waits longer hangs. */
  closed(): Promise<Closed>
}

/** Long, because a loaded machine is only slow. */
const PATIENCE_MS = 90_000
const MOST_BUFFERED_BYTES = 1 << 20
const POLL_MS = 5

/** Resolves when the connection is open, or gone before. */
export async function openConnection({ url, key }: Door, query: string): Promise<Connection> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/listen?${query}`, {
    headers: { authorization: `Token ${key}` },
  })
  const messages: Message[] = []
  const trouble: string[] = []
  const gone = new AbortController()
  let isBroken = false
  socket.on('message', (data: Buffer) => {
    try {
      messages.push(parseMessage(data.toString()))
    } catch (error) {
      trouble.push(String(error))
    }
  })
  socket.on('error', (error) => {
    if (!isBroken) trouble.push(String(error))
  })
  const ended = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
      gone.abort()
    })
  })
  const opened = new Promise<void>((resolve) => socket.once('open', () => resolve()))
  await Promise.race([opened, until('opening', () => socket.readyState !== WebSocket.CONNECTING)])

  async function wait(ms: number): Promise<void> {
    await systemClock.sleep(ms, gone.signal).catch(() => undefined)
  }

  /** Until the close, or patience's end. */
  async function until(what: string, isThere: () => boolean): Promise<void> {
    await wait(PATIENCE_MS)
    if (!gone.signal.aborted && !isThere()) giveUp(what)
  }

  function giveUp(what: string): void {
    trouble.push(`hangs: waited ${PATIENCE_MS / 1_000} s for ${what}`)
    isBroken = true
    socket.terminate()
  }

  return {
    socket,
    messages,
    trouble,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    say(type) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type }))
    },
    wait,
    async room() {
      const deadline = systemClock.now() + PATIENCE_MS
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > MOST_BUFFERED_BYTES) {
        if (systemClock.now() > deadline) return giveUp('room to send')
        await wait(POLL_MS)
      }
    },
    toBreak() {
      isBroken = true
      return Reflect.get(socket, '_socket') as Socket | undefined
    },
    async closed() {
      if (!gone.signal.aborted) await until('the close', () => false)
      return ended
    },
  }
}
