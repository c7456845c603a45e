import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { systemClock } from '../wire/clock.ts'
import { systemIds } from '../wire/ids.ts'
import { silentLog } from '../wire/log.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'
import { createShared } from '../wire/shared.ts'
import type { SpeechMessage } from '../wire/speech.ts'
import { start } from './service.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

/** A speech server on a port of its own, for tests; it ends with the test. */
export interface TestServer {
  readonly running: Running
  readonly url: string
}

export function testRuntime(): Runtime {
  return { clock: systemClock, log: silentLog, ids: systemIds, shared: createShared() }
}

export async function startServer(
  onFinished: OnFinished,
  variables: Variables,
  runtime: Runtime = testRuntime(),
  port = 0,
): Promise<TestServer> {
  const running = await start(variables, runtime)
  onFinished(() => running.stop())
  const { server } = running
  if (!server) throw new Error('The speech server has no HTTP server.')
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('The speech server has no port.')
  return { running, url: `http://127.0.0.1:${address.port}` }
}

/** A server with the scripted engine and its script. */
export async function startScripted(
  onFinished: OnFinished,
  script: object = { default: 'hello world' },
  variables: Variables = {},
  port = 0,
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'stt-script-'))
  onFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'script.json')
  await writeFile(file, JSON.stringify(script))
  return startServer(onFinished, { ENGINE: 'scripted', SCRIPT_FILE: file, ...variables }, testRuntime(), port)
}

/** A client of /stream that keeps every message. */
export interface TestStream {
  readonly socket: WebSocket
  readonly messages: readonly SpeechMessage[]
  send(audio: Uint8Array): void
  say(type: string): void
  /** Resolves with the first message, past or future, that fits; rejects when the stream ends without it. */
  next<T extends SpeechMessage['type']>(
    type: T,
    fits?: (message: Extract<SpeechMessage, { type: T }>) => boolean,
  ): Promise<Extract<SpeechMessage, { type: T }>>
  readonly closed: Promise<{ code: number; reason: string }>
}

export async function openStream(onFinished: OnFinished, url: string, query = ''): Promise<TestStream> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/stream?${query}`)
  onFinished(() => socket.terminate())
  const messages: SpeechMessage[] = []
  const waiting = new Set<() => void>()
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()))
    for (const check of waiting) check()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
      for (const check of waiting) check()
    })
  })
  await once(socket, 'open')

  return {
    socket,
    messages,
    closed,
    send: (audio) => socket.send(audio),
    say: (type) => socket.send(JSON.stringify({ type })),
    next: (type, fits = () => true) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          for (const message of messages) {
            if (!isOf(message, type) || !fits(message)) continue
            waiting.delete(check)
            resolve(message)
            return
          }
          if (socket.readyState === socket.CLOSED) reject(new Error(`The stream ended without ${type}.`))
        }
        waiting.add(check)
        check()
      }),
  }
}

/**
 * Ends a thread by a message that it cannot read, between two steps of its work: one that is terminated inside the
 * inference library takes the process with it.
 */
export function killThread(thread: Worker): Promise<void> {
  return new Promise((resolve) => {
    thread.once('exit', () => resolve())
    thread.postMessage(null, [])
  })
}

function isOf<T extends SpeechMessage['type']>(
  message: SpeechMessage,
  type: T,
): message is Extract<SpeechMessage, { type: T }> {
  return message.type === type
}

/** Seconds of a tone (speech to the scripted engine) or of silence, as 16 kHz mono s16le. */
export function tone(seconds: number): Uint8Array {
  return pcm(seconds, (second) => Math.sin(second * 2 * Math.PI * 300) * 0.3)
}

export function silence(seconds: number): Uint8Array {
  return pcm(seconds, () => 0)
}

function pcm(seconds: number, at: (second: number) => number): Uint8Array {
  const samples = Int16Array.from({ length: Math.round(seconds * 16_000) }, (_, index) =>
    Math.round(at(index / 16_000) * 32_767),
  )
  return new Uint8Array(samples.buffer)
}

/** `pcm` behind the plain header of a 16 kHz mono WAV file. */
export function wavOf(samples: Uint8Array): Uint8Array {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(16_000, 24)
  header.writeUInt32LE(32_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}
