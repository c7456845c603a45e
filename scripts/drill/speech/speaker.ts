import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { systemClock } from '../../../services/wire/clock.ts'
import { parseMessage, type Message } from './messages.ts'
import { type Plan, queryOf } from './plan.ts'

/** What a stream has sent, and what came back. */
export interface Spoken {
  readonly plan: Plan
  readonly messages: readonly Message[]
  /** Of audio; upper limit where the connection broke. */
  readonly sentSeconds: number
  readonly sha256: string
  /** Requests to finalize that were sent before the end. */
  readonly finalizes: number
  readonly nonsense: number
  /** How the socket was closed; 1006 when it broke. */
  readonly code: number
  readonly reason: string
  /** What went wrong before or beside the protocol; the drill's own breaks are none. */
  readonly trouble: readonly string[]
  /** From the last that was sent to the close. */
  readonly endMs: number
}

export interface Door {
  readonly url: string
  readonly key: string
}

/** Whoever waits longer for an answer, an end or room in the socket hangs. Long, because a loaded machine is only slow. */
const PATIENCE_MS = 90_000
/** Longer than the ten seconds without audio or KeepAlive after which a stream is ended. */
const PAUSE_MS = 12_000
const KEEP_ALIVE_MS = 3_000
const DEAF_MS = 3_000
/** How soon after CloseStream or Finalize the connection is broken, at most. */
const MOST_BREAK_MS = 150
/** More than the 16 MiB that a message may have. */
const OVERSIZED = Buffer.alloc(17 << 20)
/** Bursts wait for room: a socket that takes them all at once proves nothing about back-pressure. */
const MOST_BUFFERED_BYTES = 1 << 20
const DAMAGE_BYTES = 4_000
/** What is broken may be taken for sound, at the least for that of a telephone. */
const DAMAGE_SECONDS = DAMAGE_BYTES / 8_000
const POLL_MS = 5

/** Says what is planned. Never rejects: what goes wrong is `trouble`. */
export async function speak({ url, key }: Door, plan: Plan, random: () => number): Promise<Spoken> {
  const { programme, ending, finalizeAfter, nonsenseAfter, speed } = plan
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/listen?${queryOf(plan)}`, {
    headers: { authorization: `Token ${key}` },
  })
  const hash = createHash('sha256')
  const messages: Message[] = []
  const trouble: string[] = []
  let isBroken = false
  let sent = 0
  let finalizes = 0
  let nonsense = 0
  let last = systemClock.now()

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
  // Ends every wait below.
  const gone = new AbortController()
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
      gone.abort()
    })
  })
  const opened = new Promise<void>((resolve) => socket.once('open', () => resolve()))
  await Promise.race([opened, late('opening', () => socket.readyState !== WebSocket.CONNECTING)])

  await talk()
  last = systemClock.now()
  if (isOpen()) await end()
  await late(`the end by ${ending}`, () => false)
  const { code, reason } = await closed
  return {
    plan,
    messages,
    sentSeconds:
      (sent === programme.frames.length ? programme.seconds : sent * programme.frameSeconds) +
      (ending === 'damaged' ? DAMAGE_SECONDS : 0),
    sha256: hash.digest('hex'),
    finalizes,
    nonsense,
    code,
    reason,
    trouble,
    endMs: systemClock.now() - last,
  }

  function isOpen(): boolean {
    return socket.readyState === WebSocket.OPEN
  }

  function say(type: string): void {
    if (isOpen()) socket.send(JSON.stringify({ type }))
  }

  async function talk(): Promise<void> {
    const startMs = performance.now()
    let restMs = 0
    for (const [index, frame] of programme.frames.slice(0, plan.length).entries()) {
      if (!isOpen()) return
      hash.update(frame)
      socket.send(frame)
      sent += 1
      if (finalizeAfter.has(index)) {
        say('Finalize')
        finalizes += 1
      }
      if (nonsenseAfter.has(index)) {
        socket.send(index % 2 === 0 ? 'no JSON' : '{"type":"Nonsense"}')
        nonsense += 1
      }
      if (plan.deafAfter === index) fallDeaf()
      if (plan.pauseAfter === index) restMs += await rest()
      await room()
      const dueMs = startMs + restMs + ((index + 1) * programme.frameSeconds * 1_000) / speed
      const waitMs = dueMs - performance.now()
      if (waitMs > 1) await wait(waitMs)
    }
  }

  function fallDeaf(): void {
    socket.pause()
    systemClock.after(DEAF_MS, () => socket.resume())
  }

  async function rest(): Promise<number> {
    for (let restedMs = 0; restedMs < PAUSE_MS; restedMs += KEEP_ALIVE_MS) {
      say('KeepAlive')
      await wait(KEEP_ALIVE_MS)
    }
    return PAUSE_MS
  }

  async function room(): Promise<void> {
    const until = systemClock.now() + PATIENCE_MS
    while (isOpen() && socket.bufferedAmount > MOST_BUFFERED_BYTES) {
      if (systemClock.now() > until) return giveUp('room to send')
      await wait(POLL_MS)
    }
  }

  async function end(): Promise<void> {
    switch (ending) {
      case 'CloseStream':
        return say('CloseStream')
      case 'empty frame':
        return socket.send(Buffer.alloc(0))
      case 'silence':
        return
      case 'clean close':
        return socket.close(1000)
      case 'reset':
        return reset()
      case 'half-closed':
        isBroken = true
        return void raw()?.end()
      case 'CloseStream, reset':
        say('CloseStream')
        return breakSoon()
      case 'Finalize, reset':
        say('Finalize')
        return breakSoon()
      case 'oversized':
        isBroken = true
        return socket.send(OVERSIZED)
      case 'no frame':
        isBroken = true
        return void raw()?.write(Buffer.alloc(64, 0xff))
      case 'damaged':
        socket.send(Buffer.from(Array.from({ length: DAMAGE_BYTES }, () => Math.floor(random() * 256))))
        return say('CloseStream')
    }
  }

  async function breakSoon(): Promise<void> {
    await wait(random() * MOST_BREAK_MS)
    reset()
  }

  function reset(): void {
    isBroken = true
    raw()?.resetAndDestroy()
  }

  /** The connection below the WebSocket, which `ws` keeps to itself. */
  function raw(): Socket | undefined {
    return Reflect.get(socket, '_socket') as Socket | undefined
  }

  async function wait(ms: number): Promise<void> {
    await systemClock.sleep(ms, gone.signal).catch(() => undefined)
  }

  /** Until the close, or patience's end. */
  async function late(what: string, isThere: () => boolean): Promise<void> {
    await wait(PATIENCE_MS)
    if (!gone.signal.aborted && !isThere()) giveUp(what)
  }

  function giveUp(what: string): void {
    trouble.push(`hangs: waited ${PATIENCE_MS / 1_000} s for ${what}`)
    isBroken = true
    socket.terminate()
  }
}
