import type { Worker } from 'node:worker_threads'
import { startThread } from '../../thread.ts'
import type { WorkerData } from './worker-messages.ts'

/** Starts a model worker; it sends `ready` when its model is loaded. */
export function spawnWorker(workerData: WorkerData): Worker {
  return startThread('services/stt/whisper/pool/worker', { name: 'whisper', workerData })
}
