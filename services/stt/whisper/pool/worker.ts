import { parentPort, workerData } from 'node:worker_threads'
import type { Device } from '../../../wire/device.ts'
import { SpeechError } from '../../errors.ts'
import { placeModel } from './placed-model.ts'
import { createRightOfWay } from './give-way.ts'
import { createTogether, type RecogniseTogether } from '../recognise-together.ts'
import { recogniseWindow } from '../recognise-window.ts'
import { loadEncoder } from '../sessions.ts'
import { loadWhisper, type WhisperModel } from '../whisper-model.ts'
import { withWideEncoder } from '../wide-encoder.ts'
import {
  laneOf,
  LANES,
  STOP_ALL,
  type WorkerData,
  type WorkerMessage,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.ts'

// A worker thread of the recogniser: loads the model, says so, then answers requests, of each lane one at a time.

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread only.')
const {
  modelDir,
  threads,
  fallbackThreads = threads,
  loneThreads,
  device = 'cpu',
  mayFallBack = false,
  cancelled,
  busy,
} = workerData as WorkerData
const cancelledIds = new Int32Array(cancelled)
const busyWorkers = new Int32Array(busy)
const right = createRightOfWay()
const send = (reply: WorkerReply): void => port.postMessage(reply)

class Cancelled extends Error {}

const withModel = await placeModel({
  device,
  mayFallBack,
  load,
  isOwnFailure: (error) => error instanceof Cancelled || error instanceof SpeechError,
  onMoved: (cause) => send({ type: 'moved', message: cause instanceof Error ? cause.message : String(cause) }),
})
port.on('message', (message: WorkerMessage) => {
  // With the port closed the thread ends by itself, after the step that runs.
  if (message.type === 'stop') port.close()
  else void answer(message)
})
send({ type: 'ready' })

interface Loaded {
  readonly whisper: WhisperModel
  readonly recogniseTogether: RecogniseTogether
}

async function load(on: Device): Promise<Loaded> {
  const whisper = await loadWithWideEncoder(on)
  return { whisper, recogniseTogether: createTogether(whisper, right) }
}

async function loadWithWideEncoder(on: Device): Promise<WhisperModel> {
  const loaded = await loadWhisper(modelDir, on === device ? threads : fallbackThreads, on)
  if (loneThreads === undefined) return loaded
  const sessions = withWideEncoder(loaded.sessions, {
    isAlone: () => Atomics.load(busyWorkers, 0) === 1,
    loadWide: () => loadEncoder(modelDir, loaded.manifest, { threads: loneThreads, device: 'cpu' }),
    onFailure: (cause) =>
      send({ type: 'warning', message: `Its encoder for ${loneThreads} cores cannot be loaded. ${String(cause)}` }),
  })
  return { ...loaded, sessions }
}

async function answer({ id, windows, request }: WorkerRequest): Promise<void> {
  const lane = laneOf(request)
  const [first = new Float32Array()] = windows
  const checkpoint = (): void => {
    const toStop = Atomics.load(cancelledIds, LANES.indexOf(lane))
    if (toStop === id || toStop === STOP_ALL) throw new Cancelled('The request was cancelled.')
  }
  try {
    const recognitions =
      lane === 'file'
        ? await withModel(({ recogniseTogether }) => recogniseTogether(windows, request, checkpoint))
        : [await right.hold(() => withModel(({ whisper }) => recogniseWindow(whisper, first, request, checkpoint)))]
    send({ type: 'done', id, recognitions })
  } catch (error) {
    send({ type: 'failed', id, ...toFailure(error) })
  }
}

function toFailure(error: unknown): Omit<Extract<WorkerReply, { readonly type: 'failed' }>, 'type' | 'id'> {
  if (error instanceof SpeechError) {
    return { message: error.message, failure: { status: error.status, error: error.message } }
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
