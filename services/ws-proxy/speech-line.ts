import { WebSocket } from 'ws'
import type { ControlMessage, SpeechMessage, SpeechModel, SpeechQuery } from '../wire/speech.ts'
import { createHeldAudio, type HeldItem } from './domain/held-audio.ts'
import { type Base, rebase } from './domain/rebase.ts'
import { createUtteranceEnds } from './domain/utterance-ends.ts'
import type { SpeechListener, SpeechSocket } from './speech-socket.ts'

/**
 * A stream to the speech servers: one of them recognises, and when it dies in mid-stream another goes on from the audio that has no
 * final words yet, so that words come once and none is missing.
 */
export interface SpeechLine {
  readonly model: SpeechModel
  /** Bytes that no server has been sent yet. */
  readonly bufferedAmount: number
  readonly isPaused: boolean
  readonly isClosed: boolean
  /** `sent` is called when there may be room for more. */
  sendAudio(audio: Buffer, sent: () => void): void
  say(type: ControlMessage['type']): void
  pause(): void
  resume(): void
  terminate(): void
  /** Once. What was said before is kept. */
  listen(listener: SpeechListener): void
}

/** What the next server has to know of what the last one said. */
export type Resume = Pick<SpeechQuery, 'last_word_ago_ms'>

export interface SpeechLineParts {
  readonly first: SpeechSocket
  readonly query: SpeechQuery
  /** Opens a stream at a server that answers; rejects when none does, or when the signal says that nobody waits for it. */
  readonly reopen: (resume: Resume, signal: AbortSignal) => Promise<SpeechSocket>
  /** Says that a server was left for another one. */
  readonly onFailover: (from: string, to: string) => void
}

/** So many servers may die between two final words; after that the audio itself is what kills them. */
const MAX_FAILOVERS = 2
const GONE = { code: 1006, reason: '' }

export function createSpeechLine({ first, query, reopen, onFailover }: SpeechLineParts): SpeechLine {
  const held = createHeldAudio(query)
  let speech = first
  /** Undefined while another server is looked for. */
  let socket: WebSocket | undefined = first.socket
  let base: Base = { offsetSeconds: 0, committedSeconds: 0 }
  let committedSeconds = 0
  let failovers = 0
  let waiting: (() => void)[] = []
  /** Whoever was held back by a server that died is let go when the next one has taken what is repeated. */
  let sentLast: () => void = () => undefined
  let waitingBytes = 0
  let isPaused = false
  let isClosing = false
  let isClosed = false
  let isSummed = false
  let isSpeaking = false
  const ends = createUtteranceEnds()
  const ended = new AbortController()
  let failure: SpeechMessage | undefined
  let listener: SpeechListener | undefined

  function follow(next: SpeechSocket): void {
    next.listen({
      onMessage: (message) => take(next, message),
      onClose: (close) => void onClose(next, close),
    })
  }

  function take(from: SpeechSocket, message: SpeechMessage): void {
    if (from !== speech || isClosed) return
    // Told when no other server goes on.
    if (message.type === 'Failure' && message.status === 503) {
      failure = message
      return
    }
    const rebased = rebase(message, base)
    if (!rebased) return
    if (rebased.type === 'SpeechStarted') {
      if (isSpeaking) return
      isSpeaking = true
    }
    if (rebased.type === 'UtteranceEnd') {
      if (!ends.isNew(rebased.lastWordEndSeconds)) return
      isSpeaking = false
    }
    if (rebased.type === 'Summary') isSummed = true
    if (rebased.type === 'Failure') isClosing = isSummed = true
    if (rebased.type === 'Result' && rebased.isFinal) {
      isSpeaking &&= !rebased.speechFinal
      failovers = 0
      ends.hear(rebased)
      committedSeconds = Math.max(committedSeconds, rebased.startSeconds + rebased.durationSeconds)
      held.commit(committedSeconds, { answersFinalize: rebased.fromFinalize })
    }
    listener?.onMessage(rebased)
  }

  async function onClose(from: SpeechSocket, close: { code: number; reason: string }): Promise<void> {
    if (from !== speech || isClosed) return
    socket = undefined
    // A server that closes a stream on purpose says why, unless it is going away itself.
    const isDead = !isSummed && (failure !== undefined || close.reason === '')
    const items = held.items()
    if (isDead && items && failovers < MAX_FAILOVERS) {
      failovers += 1
      const next = await reopen(resume(), ended.signal).catch(() => undefined)
      if (next) return isClosed ? next.socket.terminate() : takeOver(next, from)
    }
    end(close)
  }

  function resume(): Resume {
    const dueSeconds = ends.dueSeconds
    // A container is heard again from its start, the word included.
    if (dueSeconds === undefined || dueSeconds > held.startSeconds) return {}
    return { last_word_ago_ms: String(Math.round((held.startSeconds - dueSeconds) * 1_000)) }
  }

  function takeOver(next: SpeechSocket, from: SpeechSocket): void {
    onFailover(from.server.name, next.server.name)
    ends.takeOver()
    speech = next
    socket = next.socket
    failure = undefined
    base = { offsetSeconds: held.startSeconds, committedSeconds }
    follow(next)
    if (isPaused) socket.pause()
    const sent = waiting
    waiting = []
    waitingBytes = 0
    // Of now, not of when the server died: the client has gone on sending.
    for (const item of held.items() ?? []) repeat(item)
    if (isClosing) send('CloseStream')
    for (const each of sent) each()
  }

  function repeat(item: HeldItem): void {
    if (item === 'Finalize') send(item)
    else socket?.send(item, sentLast)
  }

  function send(type: ControlMessage['type']): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type }))
  }

  function end(close: { code: number; reason: string }): void {
    if (isClosed) return
    isClosed = true
    ended.abort()
    if (failure) listener?.onMessage(failure)
    for (const each of waiting.splice(0)) each()
    listener?.onClose(close)
  }

  return {
    model: first.model,
    get bufferedAmount() {
      return socket ? socket.bufferedAmount : waitingBytes
    },
    get isPaused() {
      return isPaused
    },
    get isClosed() {
      return isClosed
    },
    sendAudio(audio, sent) {
      held.add(audio)
      sentLast = sent
      if (socket) return socket.send(audio, sent)
      waiting.push(sent)
      waitingBytes += audio.length
    },
    say(type) {
      if (type === 'Finalize') held.add(type)
      if (type === 'CloseStream') isClosing = true
      send(type)
    },
    pause() {
      isPaused = true
      socket?.pause()
    },
    resume() {
      isPaused = false
      socket?.resume()
    },
    terminate() {
      const last = socket
      if (!last) return end(GONE)
      isSummed = true
      last.terminate()
    },
    listen(to) {
      listener = to
      follow(first)
    },
  }
}
