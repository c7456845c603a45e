import { join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import type { Device } from '../../wire/device.ts'
import type { ModelManifest } from '../models/manifest.ts'

/** The two networks of one Whisper, loaded. */
export interface Sessions {
  readonly encoder: InferenceSession
  readonly decoder: InferenceSession
}

export interface SessionOptions {
  /** Of the CPU; with a GPU for what has no form there. */
  readonly threads: number
  readonly device: Device
}

/** onnxruntime's `error`: below it GPU providers warn that shapes are computed on the CPU, as they should be. */
const GPU_LOG_LEVEL = 3

/** @throws Error in the library's words when the device cannot be had */
export async function loadSessions(
  folder: string,
  manifest: ModelManifest,
  { threads, device }: SessionOptions,
): Promise<Sessions> {
  const options: InferenceSession.SessionOptions = {
    // Nodes that a device has no form of run on the CPU, whether it is named or not.
    executionProviders: [device],
    ...(device !== 'cpu' && { logSeverityLevel: GPU_LOG_LEVEL }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Workers share the cores with the sockets and with each other: idle threads must sleep.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(join(folder, manifest.files.encoder.graph.name), options),
    InferenceSession.create(join(folder, manifest.files.decoder.graph.name), options),
  ])
  return { encoder, decoder }
}
