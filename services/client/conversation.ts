import type { WebSocket } from 'ws'
import type { Clock, Timer } from '../wire/clock.ts'
import type { ControlMessage } from '../wire/speech.ts'
import { ClientError } from './client-error.ts'
import { readServerMessage, type ServerMessage } from './server-message.ts'

/** The API closes a stream after 10 s with neither audio nor KeepAlive, and asks for one every 3 to 5 s. */
const KEEP_ALIVE_MS = 4_000
/** Longest silence of the server after the last audio; a busy machine may need seconds for the last words. */
const FINISH_TIMEOUT_MS = 30_000
/** How deployments of the API end a stream that went well: 1000, "going away", or no code at all. */
const GOOD_CLOSES: ReadonlySet<number> = new Set([1000, 1001, 1005])

/** One stream to the API, from its open socket to its close. */
export interface Conversation {
  /** Sends audio; false when the server has ended the stream. */
  send(chunk: Buffer): Promise<boolean>
  /** Says that no more audio comes and waits for the last words. Rejects with a `ClientError` when they do not come. */
  finish(): Promise<void>
  /** Ends at once. */
  drop(): void
  /** Aborted when the socket closes, so that nothing goes on recording. */
  readonly closed: AbortSignal
  readonly requestId: string | undefined
}

export function createConversation(
  socket: WebSocket,
  { clock, onMessage }: { clock: Clock; onMessage: (message: ServerMessage) => void },
): Conversation {
  const ended = new AbortController()
  const alarm = createAlarm(clock)
  let requestId: string | undefined
  let complaint: string | undefined
  let closing: 'not-yet' | 'asked' = 'not-yet'

  const closed = new Promise<void>((resolve, reject) => {
    // What goes wrong on an open socket is followed by its close, which tells the same with a code.
    socket.on('error', () => undefined)
    socket.once('close', (code, reason) => {
      alarm.off()
      ended.abort()
      if (closing === 'asked' && complaint === undefined && GOOD_CLOSES.has(code)) return resolve()
      const why = complaint ?? (String(reason) || `close code ${code}`)
      const request = requestId === undefined ? '' : ` (request ${requestId})`
      reject(new ClientError(`The stream ended early: ${why}${request}.`, { requestId }))
    })
  })
  closed.catch(() => undefined)

  socket.on('message', (data, isBinary) => {
    if (isBinary) return
    if (closing === 'asked') awaitLastWords()
    // With the default binary type of `ws` a message is always one Buffer.
    const message = readServerMessage((data as Buffer).toString())
    if (message.type === 'opened') requestId = message.requestId
    if (message.type === 'failed') complaint = message.reason
    onMessage(message)
  })

  function control(message: ControlMessage): void {
    socket.send(JSON.stringify(message), () => undefined)
  }

  function keepAlive(): void {
    alarm.set(KEEP_ALIVE_MS, () => {
      control({ type: 'KeepAlive' })
      keepAlive()
    })
  }

  function awaitLastWords(): void {
    alarm.set(FINISH_TIMEOUT_MS, () => {
      complaint = `no answer for ${FINISH_TIMEOUT_MS / 1000} s after the last audio`
      socket.terminate()
    })
  }

  keepAlive()
  return {
    send: (chunk) =>
      new Promise((resolve) => {
        keepAlive()
        socket.send(chunk, (error) => resolve(!error))
      }),
    finish() {
      if (socket.readyState === socket.OPEN) {
        closing = 'asked'
        control({ type: 'CloseStream' })
        awaitLastWords()
      }
      return closed
    },
    drop() {
      alarm.off()
      socket.terminate()
    },
    closed: ended.signal,
    get requestId() {
      return requestId
    },
  }
}

/** One pending timer at a time: setting it again replaces it. */
function createAlarm(clock: Clock): { set(ms: number, run: () => void): void; off(): void } {
  let timer: Timer | undefined
  return {
    set(ms, run) {
      timer?.cancel()
      timer = clock.after(ms, run)
    },
    off: () => timer?.cancel(),
  }
}
