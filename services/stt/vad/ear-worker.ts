import { parentPort, workerData } from 'node:worker_threads'
import { SpeechError } from '../errors.ts'
import { createNormaliser } from '../audio/normaliser.ts'
import type { Normaliser } from '../audio/normaliser.ts'
import { FRAME_SAMPLES } from './ears.ts'
import { createFramer } from './frames.ts'
import { loadSilero } from './silero.ts'
import type { EarData, EarReply, EarRequest } from './ear-messages.ts'

// The listening thread: decodes, resamples and judges the audio of all streams, so that the sockets' thread does not.

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread only.')
const { vadModelFile } = workerData as EarData

interface OpenEar {
  push(audio: Uint8Array): Promise<EarReply>
  finish(): Promise<EarReply>
  close(): void
}

const ears = new Map<number, { queue: Promise<void>; opening: Promise<OpenEar> }>()
let isStopping = false
const createJudge = await loadSilero(vadModelFile)

port.on('message', (request: EarRequest) => (request.type === 'stop' ? void stop() : take(request)))
send({ type: 'ready' })

/** The thread ends by itself when its door is closed and no frame is being judged. */
async function stop(): Promise<void> {
  isStopping = true
  await Promise.all([...ears.values()].map(({ queue }) => queue))
  port?.close()
}

function take(request: Exclude<EarRequest, { type: 'stop' }>): void {
  if (request.type === 'open') {
    const opening = openEar(request)
    // Said where the ear is used.
    opening.catch(() => undefined)
    ears.set(request.ear, { queue: Promise.resolve(), opening })
    return
  }
  const ear = ears.get(request.ear)
  if (!ear) return
  if (request.type === 'close') {
    ears.delete(request.ear)
    void ear.queue.then(async () => (await ear.opening).close()).catch(() => undefined)
    return
  }
  ear.queue = ear.queue.then(async () => {
    try {
      const open = await ear.opening
      send(await (request.type === 'push' ? open.push(request.audio) : open.finish()))
    } catch (error) {
      const status = error instanceof SpeechError ? error.status : undefined
      send({ type: 'failed', ear: request.ear, message: messageOf(error), status })
    }
  })
}

async function openEar({ ear, format, maxSeconds }: Extract<EarRequest, { type: 'open' }>): Promise<OpenEar> {
  const normaliser: Normaliser = await createNormaliser(format, maxSeconds)
  const framer = createFramer()
  const judge = createJudge()

  async function hear(samples: Float32Array, frames: Float32Array): Promise<EarReply> {
    const probabilities = new Float32Array(frames.length / FRAME_SAMPLES)
    for (let judged = 0; judged < probabilities.length;) {
      if (isStopping) throw new Error('The listening thread is stopping.')
      const next = await judge(frames.subarray(judged * FRAME_SAMPLES))
      probabilities.set(next, judged)
      judged += next.length
    }
    return { type: 'heard', ear, heard: { samples, probabilities, channels: normaliser.channels } }
  }

  return {
    async push(audio) {
      const samples = await normaliser.push(audio)
      return hear(samples, framer.push(samples))
    },
    async finish() {
      const samples = await normaliser.finish()
      return hear(samples, framer.finish(samples))
    },
    close: () => normaliser.close(),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function send(reply: EarReply): void {
  // The few probabilities are sooner copied than handed over.
  const transfer = reply.type === 'heard' ? [reply.heard.samples.buffer] : []
  port?.postMessage(reply, transfer as ArrayBuffer[])
}
