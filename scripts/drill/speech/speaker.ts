import { createHash } from 'node:crypto'
import { systemClock } from '../../../services/wire/clock.ts'
import { type Closed, type Connection, type Door, openConnection } from './connection.ts'
import type { Message } from './messages.ts'
import { type Plan, queryOf } from './plan.ts'

/** What a stream has sent, and what came back. */
export interface Spoken extends Closed {
  readonly plan: Plan
  readonly messages: readonly Message[]
  /** Of audio; upper limit where the connection broke. */
  readonly sentSeconds: number
  readonly sha256: string
  /** Requests to finalize that were sent before the end. */
  readonly finalizes: number
  readonly nonsense: number
  readonly trouble: readonly string[]
}

/** Longer than the ten seconds without audio or KeepAlive after which a stream is ended. */
const PAUSE_MS = 12_000
const KEEP_ALIVE_MS = 3_000
const DEAF_MS = 3_000
/** How soon after CloseStream or Finalize the connection is broken, at most. */
const MOST_BREAK_MS = 150
/** More than the 16 MiB that a message may have. */
const OVERSIZED = Buffer.alloc(17 << 20)
const DAMAGE_BYTES = 4_000
/** What is broken may be taken for sound, at the least for that of a telephone. */
const DAMAGE_SECONDS = DAMAGE_BYTES / 8_000

/** Says what is planned. Never rejects: what goes wrong is `trouble`. */
export async function speak(door: Door, plan: Plan, random: () => number): Promise<Spoken> {
  const { programme, ending } = plan
  const connection = await openConnection(door, queryOf(plan))
  const said = await talk(connection, plan)
  if (connection.isOpen) await end(connection, plan, random)
  const { code, reason } = await connection.closed()
  const { sent, sha256, finalizes, nonsense } = said
  const { messages, trouble } = connection
  const isWhole = programme.isCompressed || sent === programme.frames.length
  const soundSeconds = isWhole ? programme.seconds : sent * programme.frameSeconds
  const sentSeconds = soundSeconds + (ending === 'damaged' ? DAMAGE_SECONDS : 0)
  return { plan, messages, sentSeconds, sha256, finalizes, nonsense, code, reason, trouble }
}

interface Said {
  /** Messages of audio. */
  readonly sent: number
  readonly sha256: string
  readonly finalizes: number
  readonly nonsense: number
}

async function talk(connection: Connection, plan: Plan): Promise<Said> {
  const { programme, finalizeAfter, nonsenseAfter, speed } = plan
  const { socket } = connection
  const hash = createHash('sha256')
  let [sent, finalizes, nonsense, restMs] = [0, 0, 0, 0]
  const startMs = performance.now()
  for (const [index, frame] of programme.frames.slice(0, plan.length).entries()) {
    if (!connection.isOpen) break
    hash.update(frame)
    socket.send(frame)
    sent += 1
    if (finalizeAfter.has(index)) {
      connection.say('Finalize')
      finalizes += 1
    }
    if (nonsenseAfter.has(index)) {
      socket.send(index % 2 === 0 ? 'no JSON' : '{"type":"Nonsense"}')
      nonsense += 1
    }
    if (plan.deafAfter === index) fallDeaf(connection)
    if (plan.pauseAfter === index) restMs += await rest(connection)
    await connection.room()
    const dueMs = startMs + restMs + ((index + 1) * programme.frameSeconds * 1_000) / speed
    const waitMs = dueMs - performance.now()
    if (waitMs > 1) await connection.wait(waitMs)
  }
  return { sent, sha256: hash.digest('hex'), finalizes, nonsense }
}

function fallDeaf({ socket }: Connection): void {
  socket.pause()
  systemClock.after(DEAF_MS, () => socket.resume())
}

async function rest(connection: Connection): Promise<number> {
  for (let restedMs = 0; restedMs < PAUSE_MS; restedMs += KEEP_ALIVE_MS) {
    connection.say('KeepAlive')
    await connection.wait(KEEP_ALIVE_MS)
  }
  return PAUSE_MS
}

async function end(connection: Connection, { ending }: Plan, random: () => number): Promise<void> {
  const { socket } = connection
  switch (ending) {
    case 'CloseStream':
      return connection.say('CloseStream')
    case 'empty frame':
      return socket.send(Buffer.alloc(0))
    case 'silence':
      return
    case 'clean close':
      return socket.close(1000)
    case 'reset':
      return void connection.toBreak()?.resetAndDestroy()
    case 'half-closed':
      return void connection.toBreak()?.end()
    case 'CloseStream, reset':
    case 'Finalize, reset':
      connection.say(ending === 'CloseStream, reset' ? 'CloseStream' : 'Finalize')
      await connection.wait(random() * MOST_BREAK_MS)
      return void connection.toBreak()?.resetAndDestroy()
    case 'oversized':
      connection.toBreak()
      return socket.send(OVERSIZED)
    case 'no frame':
      return void connection.toBreak()?.write(Buffer.alloc(64, 0xff))
    case 'damaged':
      socket.send(Buffer.from(Array.from({ length: DAMAGE_BYTES }, () => Math.floor(random() * 256))))
      return connection.say('CloseStream')
  }
}
