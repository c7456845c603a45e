import { createHash } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import type { Clock, Timer } from '../wire/clock.ts'
import type { SpeechMessage } from '../wire/speech.ts'
import { parseClientText } from './domain/client-text.ts'
import { type Close, CLOSE, closeForFailure } from './domain/close.ts'
import type { Messages } from './domain/messages.ts'
import { watchIdle } from './idle.ts'
import type { SpeechLine } from './speech-line.ts'

/** A client's socket joined to a speech server's. */
export interface LiveStream {
  /** Ends the stream from our side; what was heard so far is still counted. */
  close(close: Close): void
  /** Waits for nobody any longer; resolves when what was heard so far is counted. */
  giveUp(): Promise<void>
  /** Drops both sockets at once; nothing is counted. */
  destroy(): void
}

export interface LiveStreamParts {
  readonly client: WebSocket
  readonly speech: SpeechLine
  readonly messages: Messages
  readonly clock: Clock
  readonly idleTimeoutMs: number
  /**
   * Called once, when the speech server is through or gone: the place is given back and the usage written before the
   * client learns that it is over. Seconds are the speech server's own sum, or as far as it got.
   */
  ended(audioSeconds: number): Promise<void>
}

/** A socket that holds more than this is not sent to until it has less: its sender is read no further. */
const HIGH_WATER_BYTES = 1024 * 1024
/**
 * A speech server that says nothing for this long while it should finish is given up; also where the client has gone,
 * because a loaded server is late, and what was sent is counted in full.
 */
const FINISH_TIMEOUT_MS = 60_000

export function startLiveStream(parts: LiveStreamParts): LiveStream {
  const { client, speech, messages, clock, idleTimeoutMs, ended } = parts
  const audioHash = createHash('sha256')
  let audioSeconds = 0
  let hasSummary = false
  let isFinishing = false
  let isDestroyed = false
  let finishTimer: Timer | undefined
  let verdict: Close | undefined
  let resolveOver: () => void
  const over = new Promise<void>((resolve) => {
    resolveOver = resolve
  })

  const idle = watchIdle(clock, {
    timeoutMs: idleTimeoutMs,
    // A client that we do not read cannot prove that it is alive.
    isExcused: () => client.isPaused,
    onIdle: () => close(CLOSE.idle),
  })
  tell(messages.opening(clock.now()))
  client.on('message', hear)
  client.on('close', () => finish())
  client.on('error', () => client.terminate())
  speech.listen({ onMessage, onClose: (from) => void onSpeechEnd(from) })

  function hear(data: RawData, isBinary: boolean): void {
    idle.touch()
    if (isFinishing) return
    const bytes = toBuffer(data)
    if (!isBinary) return obey(bytes.toString())
    // Older Deepgram clients end a stream with an empty frame.
    if (bytes.length === 0) return finish()
    audioHash.update(bytes)
    speech.sendAudio(bytes, () => drained(speech, client))
    if (speech.bufferedAmount > HIGH_WATER_BYTES) client.pause()
  }

  function obey(text: string): void {
    const message = parseClientText(text)
    switch (message.type) {
      case 'KeepAlive':
      case 'Finalize':
        return speech.say(message.type)
      case 'CloseStream':
        return finish()
      case 'Bad':
        return tell(messages.error('SchemaError', message.description))
      case 'Ignored':
    }
  }

  /** Asks the speech server for the rest, and gives up when it says nothing for a while. */
  function finish(): void {
    idle.cancel()
    if (!isFinishing) speech.say('CloseStream')
    isFinishing = true
    finishTimer?.cancel()
    if (!speech.isClosed) finishTimer = clock.deadline(FINISH_TIMEOUT_MS, () => speech.terminate())
  }

  function onMessage(message: SpeechMessage): void {
    if (isFinishing) finish()
    switch (message.type) {
      case 'Result':
        audioSeconds = Math.max(audioSeconds, message.startSeconds + message.durationSeconds)
        return tell(messages.results(message))
      case 'SpeechStarted':
        return tell(messages.speechStarted(message.atSeconds))
      case 'UtteranceEnd':
        return tell(messages.utteranceEnd(message.lastWordEndSeconds))
      case 'Summary':
        audioSeconds = message.audioSeconds
        hasSummary = true
        return
      case 'Failure':
        verdict = closeForFailure(message.status)
        return tell(messages.error(message.status < 500 ? 'SchemaError' : 'ServerError', message.error))
      case 'Open':
    }
  }

  async function onSpeechEnd(from: Close): Promise<void> {
    idle.cancel()
    finishTimer?.cancel()
    isFinishing = true
    if (isDestroyed) return
    const last = verdict ?? (hasSummary ? CLOSE.done : knownOr(from, CLOSE.silent))
    await ended(audioSeconds)
    if (last === CLOSE.silent && !verdict) tell(messages.error('ServerError', 'The speech server went away.'))
    if (last === CLOSE.done) tellClosing()
    close(last)
    resolveOver()
  }

  function tellClosing(): void {
    const summary = { createdAt: clock.now(), audioSeconds, sha256: audioHash.digest('hex') }
    const message = messages.closing(summary)
    if (message) tell(message)
  }

  function tell(message: object): void {
    if (client.readyState !== client.OPEN) return
    client.send(JSON.stringify(message), () => drained(client, speech))
    if (client.bufferedAmount > HIGH_WATER_BYTES) speech.pause()
  }

  function close({ code, reason }: Close): void {
    // A paused socket would never see the answer to its close.
    if (client.isPaused) client.resume()
    client.close(code, reason)
    finish()
  }

  return {
    close,
    giveUp() {
      speech.terminate()
      return over
    },
    destroy() {
      isDestroyed = true
      idle.cancel()
      finishTimer?.cancel()
      client.terminate()
      speech.terminate()
    },
  }
}

/** Lets the one who fills a socket go on once the socket has room again. */
function drained(socket: Pick<WebSocket, 'bufferedAmount'>, source: Pick<WebSocket, 'isPaused' | 'resume'>): void {
  if (source.isPaused && socket.bufferedAmount <= HIGH_WATER_BYTES / 2) source.resume()
}

/** The close that a speech server chose, where it is one of those that clients know. */
function knownOr({ code, reason }: Close, otherwise: Close): Close {
  return (
    Object.values(CLOSE).find((known) => known.code === code && known.reason === reason && code !== 1000) ?? otherwise
  )
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
