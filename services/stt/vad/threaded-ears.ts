import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import { SpeechError } from '../errors.ts'
import { startThread } from '../thread.ts'
import type { EarData, EarReply, EarRequest } from './ear-messages.ts'
import type { Ear, Ears, Heard } from './ears.ts'

export interface EarsOptions extends EarData {
  readonly clock: Clock
  readonly log: Log
}

/** Far longer than a frame takes, and than the largest piece of audio takes to resample. */
const STOP_DEADLINE_MS = 5_000

interface Listener {
  /** Answers that are still to come, oldest first. */
  readonly waiting: { resolve(heard: Heard): void; reject(error: Error): void }[]
  readonly thread: Thread
}

interface Thread {
  readonly worker: Worker
  isAlive: boolean
}

/**
 * One thread that listens for all streams of a process. When it dies the streams it was listening to fail with 503, and
 * the next stream gets a new one.
 * @throws when the voice detector cannot be loaded
 */
export async function startEars({ vadModelFile, clock, log }: EarsOptions): Promise<Ears> {
  const listeners = new Map<number, Listener>()
  let nextEar = 1
  let isStopped = false
  let current = await startListening()

  function startListening(): Promise<Thread> {
    return new Promise((resolve, reject) => {
      const worker = startThread('services/stt/vad/ear-worker', {
        name: 'ears',
        workerData: { vadModelFile },
        stderr: true,
      })
      // Decoding libraries complain there about every broken packet.
      worker.stderr.on('data', (text: Buffer) => log.debug(text.toString().trimEnd()))
      const thread: Thread = { worker, isAlive: true }
      let cause: unknown
      worker.on('message', (reply: EarReply) => (reply.type === 'ready' ? resolve(thread) : settle(reply)))
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('exit', (code) => {
        const error = cause instanceof Error ? cause : new Error(`The listening thread ended with code ${code}.`)
        reject(error)
        lose(thread, error)
      })
    })
  }

  function settle(reply: Exclude<EarReply, { type: 'ready' }>): void {
    const next = listeners.get(reply.ear)?.waiting.shift()
    if (reply.type === 'heard') next?.resolve(reply.heard)
    else next?.reject(refusalOf(reply))
  }

  function lose(thread: Thread, cause: Error): void {
    thread.isAlive = false
    if (!isStopped) log.error({ err: cause }, 'listening thread died')
    for (const [id, listener] of listeners) {
      if (listener.thread !== thread) continue
      listeners.delete(id)
      for (const { reject } of listener.waiting) reject(died(cause))
    }
  }

  /** A thread for a new stream: the one there is, or a new one in place of a dead one. */
  function living(): Thread | Promise<Thread> {
    if (current.isAlive || isStopped) return current
    return restarting()
  }

  let restart: Promise<Thread> | undefined
  function restarting(): Promise<Thread> {
    restart ??= startListening()
      .then((thread) => (current = thread))
      .finally(() => {
        restart = undefined
      })
    return restart
  }

  return {
    open(format, maxSeconds): Ear {
      const id = nextEar
      nextEar += 1
      let isClosed = false
      let listener: Listener | undefined
      const opening = Promise.resolve(living()).then((thread) => {
        if (isClosed || !thread.isAlive) return undefined
        listener = { waiting: [], thread }
        listeners.set(id, listener)
        post(thread, { type: 'open', ear: id, format, maxSeconds })
        return listener
      })
      opening.catch(() => undefined)

      async function ask(request: EarRequest): Promise<Heard> {
        const open = await opening.catch((error: unknown) => {
          throw died(error)
        })
        if (!open || listeners.get(id) !== open) throw died(undefined)
        return new Promise((resolve, reject) => {
          open.waiting.push({ resolve, reject })
          post(open.thread, request)
        })
      }

      return {
        push: (audio) => ask({ type: 'push', ear: id, audio }),
        finish: () => ask({ type: 'finish', ear: id }),
        close() {
          isClosed = true
          if (!listener) return
          listeners.delete(id)
          post(listener.thread, { type: 'close', ear: id })
          for (const { reject } of listener.waiting) reject(new Error('The stream was closed.'))
        },
      }
    },
    async stop() {
      isStopped = true
      const { worker, isAlive } = current
      if (!isAlive) return
      post(current, { type: 'stop' })
      await new Promise<void>((resolve) => {
        // Terminated inside the inference library, a thread takes the whole process with it: only for one that hangs.
        const deadline = clock.deadline(STOP_DEADLINE_MS, () => void worker.terminate())
        worker.once('exit', () => {
          deadline.cancel()
          resolve()
        })
      })
    },
  }
}

function post({ worker }: Thread, request: EarRequest): void {
  if (request.type !== 'push') {
    worker.postMessage(request, [])
    return
  }
  // A copy of exactly these bytes: the given ones may be a small view of a large buffer.
  const audio = new Uint8Array(request.audio)
  worker.postMessage({ ...request, audio }, [audio.buffer])
}

function refusalOf({ status, message }: Extract<EarReply, { type: 'failed' }>): SpeechError {
  if (status !== undefined) return new SpeechError(status, message)
  return new SpeechError(500, 'The audio could not be heard.', { cause: new Error(message) })
}

function died(cause: unknown): SpeechError {
  return new SpeechError(503, 'The listening thread died; try again.', { cause })
}
