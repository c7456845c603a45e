import { EventEmitter, once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { describe, test, type TestContext } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Clock, Timer } from '../wire/clock.ts'
import { systemIds } from '../wire/ids.ts'
import type { Containers } from './audio-source.ts'
import { listenTo, type ListenOptions } from './listen.ts'

const JFK = 'fixtures/audio/jfk.wav'
type Cleanup = TestContext['onTestFinished']

describe('listening', () => {
  test('sends a WAV file as bare samples in chunks of 100 ms, then CloseStream', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)

    const heard = await listenTo(options(api))

    expect(api.address()).toBe('/v1/listen?encoding=linear16&sample_rate=16000&channels=1')
    expect(api.authorization()).toBe('Bearer org_test')
    expect(new Set(api.chunkSizes().slice(0, -1))).toEqual(new Set([3_200]))
    expect(api.audio().length).toBe(352_000)
    expect(api.controls()).toEqual(['CloseStream'])
    expect(heard).toEqual({ requestId: 'r-1', transcript: 'Ask not.', sentSeconds: 11 })
  })

  test('sends each chunk when its last sample would have been spoken', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const clock = instantClock()

    await listenTo(options(api, { clock, parameters: { language: 'en' } }))

    expect(clock.sleptMs).toHaveLength(110)
    expect(clock.now()).toBeCloseTo(11_000)
    expect(api.address()).toContain('&language=en')
  })

  test('takes bare samples from standard input', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const samples = Buffer.alloc(4_000, 7)

    await listenTo(options(api, { path: '-', stdin: Readable.from([samples]), sampleRateHz: 8_000, channels: 2 }))

    expect(api.address()).toBe('/v1/listen?encoding=linear16&sample_rate=8000&channels=2')
    expect(api.audio()).toEqual(samples)
  })

  test('takes a WAV stream of unknown length from standard input', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const bytes = await readFile(JFK)
    bytes.writeUInt32LE(0xffffffff, bytes.indexOf('data') + 4)

    await listenTo(options(api, { path: '-', stdin: Readable.from([bytes.subarray(0, 30), bytes.subarray(30)]) }))

    expect(api.address()).toBe('/v1/listen?encoding=linear16&sample_rate=16000&channels=1')
    expect(api.audio()).toEqual(bytes.subarray(bytes.length - 352_000))
  })

  test('sends other codings with the header that explains them', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const path = await temporaryFile(onTestFinished, muLaw(800))

    const heard = await listenTo(options(api, { path }))

    expect(api.address()).toBe('/v1/listen')
    expect(api.audio().toString('latin1', 0, 4)).toBe('RIFF')
    expect(heard.sentSeconds).toBeCloseTo(0.1, 1)
  })

  test('sends a container as it is, each piece when its audio would have been heard', async ({
    expect,
    onTestFinished,
  }) => {
    const api = await startApi(onTestFinished)
    const clock = instantClock()
    const bytes = Buffer.concat([Buffer.from('Oggy'), Buffer.alloc(10_000, 7)])
    const containers = knowsOggy({ secondsPerKilobyte: 2 })

    const heard = await listenTo(options(api, { path: '-', stdin: Readable.from([bytes]), clock, containers }))

    expect(api.address()).toBe('/v1/listen')
    expect(api.audio()).toEqual(bytes)
    expect(heard.sentSeconds).toBeCloseTo((2 * bytes.length) / 1_024)
    expect(clock.now() / 1_000).toBeCloseTo(heard.sentSeconds)
    expect(containers.isClosed()).toBe(true)
  })

  test('decides by as many bytes as the server does, however many come at once', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const asked: number[] = []
    const containers: Containers = {
      ...knowsOggy({ secondsPerKilobyte: 2 }),
      begins: ({ length }) => asked.push(length) === 0,
    }

    await listenTo(options(api, { path: '-', stdin: Readable.from([Buffer.alloc(64_000, 7)]), containers }))

    expect(asked).toEqual([4_096])
    expect(api.audio()).toHaveLength(64_000)
  })

  test('what is no container on standard input is samples still', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const samples = Buffer.alloc(4_000, 7)
    const containers = knowsOggy({ secondsPerKilobyte: 2 })

    await listenTo(options(api, { path: '-', stdin: Readable.from([samples]), containers }))

    expect(api.address()).toContain('encoding=linear16')
    expect(api.audio()).toEqual(samples)
  })

  test('rewrites interim words in place on a terminal', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const printed = output({ isTTY: true, columns: 80 })

    await listenTo(options(api, { out: printed }))

    expect(printed.text()).toBe('\r\u001B[Kask\r\u001B[KAsk not.\n')
  })

  test('prints every message as a line of JSON when asked', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const printed = output()

    await listenTo(options(api, { out: printed, json: true }))

    const types = printed
      .text()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['Metadata', 'Results', 'Results', 'Results'])
  })

  test('on Ctrl-C sends no more audio and waits for the last words', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const interrupt = new AbortController()
    const microphone = new PassThrough()
    const listening = listenTo(options(api, { path: '-', stdin: microphone, signal: interrupt.signal }))
    microphone.write(Buffer.alloc(32_000))
    await api.heardAudio

    interrupt.abort()
    const heard = await listening

    expect(api.controls()).toEqual(['CloseStream'])
    expect(heard.transcript).toBe('Ask not.')
  })

  test('keeps a silent stream alive', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const clock = instantClock()
    const microphone = new PassThrough()
    const listening = listenTo(options(api, { path: '-', stdin: microphone, clock }))
    microphone.write(Buffer.alloc(3_200))
    await api.heardAudio

    clock.fire()
    microphone.end()
    await listening

    expect(api.controls()).toEqual(['KeepAlive', 'CloseStream'])
  })
})

describe('listening fails in one line', () => {
  test('when the key is refused', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished, { refuse: '{"error":"Invalid API key","request_id":"r-9"}' })

    await expect(listenTo(options(api))).rejects.toMatchObject({
      message: 'The server answered 401: Invalid API key (request r-9).',
      status: 401,
      requestId: 'r-9',
    })
  })

  test('when the server ends the stream before the audio does', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished, { closeEarly: { code: 1011, reason: 'NET-0000' } })
    const microphone = new PassThrough()
    microphone.write(Buffer.alloc(3_200))

    await expect(listenTo(options(api, { path: '-', stdin: microphone }))).rejects.toThrow(
      'The stream ended early: NET-0000 (request r-1).',
    )
  })

  test('when the last words do not come', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished, { isMute: true })
    const clock = instantClock()
    const listening = listenTo(options(api, { clock }))
    listening.catch(() => undefined)
    await api.closeAsked

    clock.fire()

    await expect(listening).rejects.toThrow('The stream ended early: no answer for 30 s after the last audio')
  })

  test('when nothing listens there', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    await api.stop()

    await expect(listenTo(options(api))).rejects.toThrow(`No answer from ${api.url}: nothing listens there.`)
  })

  test.for([
    ['missing.wav', 'There is no file missing.wav.'],
    ['fixtures/audio', 'fixtures/audio is a folder.'],
    ['package.json', 'package.json is not audio that can be streamed.'],
  ] as const)('when the audio is %s', async ([path, message], { expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)

    await expect(listenTo(options(api, { path }))).rejects.toThrow(message)
  })

  test('when a WAV file ends before its samples', async ({ expect, onTestFinished }) => {
    const api = await startApi(onTestFinished)
    const path = await temporaryFile(onTestFinished, muLaw(0).subarray(0, 30))

    await expect(listenTo(options(api, { path }))).rejects.toThrow('is a damaged WAV file: it ends before its samples.')
  })
})

interface Api {
  readonly url: string
  address(): string
  authorization(): string
  chunkSizes(): readonly number[]
  audio(): Buffer
  controls(): readonly string[]
  readonly heardAudio: Promise<unknown>
  readonly closeAsked: Promise<unknown>
  stop(): Promise<void>
}

/** Speaks the streaming protocol of the API, with words of its own. */
async function startApi(
  onTestFinished: Cleanup,
  fault: { refuse?: string; closeEarly?: { code: number; reason: string }; isMute?: boolean } = {},
): Promise<Api> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const seen = { address: '', authorization: '', chunks: [] as Buffer[], controls: [] as string[] }
  const heard = new EventEmitter()
  const heardAudio = once(heard, 'audio')
  const closeAsked = once(heard, 'close-stream')

  server.on('upgrade', (request, socket, head) => {
    seen.address = request.url ?? ''
    seen.authorization = request.headers.authorization ?? ''
    if (fault.refuse !== undefined) {
      socket.end(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${fault.refuse.length}\r\n\r\n${fault.refuse}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      say(peer, { type: 'Metadata', request_id: 'r-1' })
      say(peer, results('ask', false))
      if (fault.closeEarly) peer.close(fault.closeEarly.code, fault.closeEarly.reason)
      peer.on('message', (data: Buffer, isBinary) => {
        if (isBinary) {
          seen.chunks.push(data)
          heard.emit('audio')
          return
        }
        const { type } = JSON.parse(data.toString()) as { type: string }
        seen.controls.push(type)
        if (type !== 'CloseStream') return
        heard.emit('close-stream')
        if (fault.isMute) return
        say(peer, results('Ask not.', true))
        say(peer, results('', true))
        peer.close(1000)
      })
    })
  })
  const url = await listenOn(server)
  const stop = async (): Promise<void> => {
    for (const peer of sockets.clients) peer.terminate()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(stop)
  return {
    url,
    stop,
    address: () => seen.address,
    authorization: () => seen.authorization,
    chunkSizes: () => seen.chunks.map((chunk) => chunk.length),
    audio: () => Buffer.concat(seen.chunks),
    controls: () => seen.controls,
    heardAudio,
    closeAsked,
  }
}

function say(peer: WebSocket, message: Readonly<Record<string, unknown>>): void {
  peer.send(JSON.stringify(message))
}

function results(transcript: string, isFinal: boolean): Readonly<Record<string, unknown>> {
  return { type: 'Results', is_final: isFinal, channel: { alternatives: [{ transcript }] } }
}

async function listenOn(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function options(api: Api, changes: Partial<ListenOptions> = {}): ListenOptions {
  return {
    url: api.url,
    key: 'org_test',
    path: JFK,
    stdin: Readable.from([]),
    out: output(),
    clock: instantClock(),
    signal: new AbortController().signal,
    ...changes,
  }
}

function knowsOggy({ secondsPerKilobyte }: { secondsPerKilobyte: number }): Containers & { isClosed(): boolean } {
  let isClosed = false
  return {
    begins: (bytes) => Buffer.from(bytes).toString('latin1', 0, 4) === 'Oggy',
    meter: () => ({
      secondsOf: async ({ length }) => (length / 1_024) * secondsPerKilobyte,
      close: () => {
        isClosed = true
      },
    }),
    isClosed: () => isClosed,
  }
}

function output(shape: { isTTY?: boolean; columns?: number } = {}): ListenOptions['out'] & { text(): string } {
  let text = ''
  return { ...shape, write: (piece: string) => (text += piece), text: () => text }
}

/** A clock whose waits are over at once; its timers go off when told. */
function instantClock(): Clock & { readonly sleptMs: readonly number[]; fire(): void } {
  const sleptMs: number[] = []
  const timers = new Set<() => void>()
  let now = 0
  const after = (_ms: number, run: () => void): Timer => {
    timers.add(run)
    return { cancel: () => timers.delete(run) }
  }
  return {
    sleptMs,
    now: () => now,
    after,
    deadline: after,
    async sleep(ms) {
      sleptMs.push(ms)
      now += ms
    },
    fire() {
      for (const run of Array.from(timers)) run()
    },
  }
}

function muLaw(sampleCount: number): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF\0\0\0\0WAVEfmt ', 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(7, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(8_000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(sampleCount, 40)
  return Buffer.concat([head, Buffer.alloc(sampleCount, 0xff)])
}

async function temporaryFile(onTestFinished: Cleanup, bytes: Buffer): Promise<string> {
  const path = join(tmpdir(), `aldea-${systemIds.uuid()}.wav`)
  await writeFile(path, bytes)
  onTestFinished(() => rm(path))
  return path
}
