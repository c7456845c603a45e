import { join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import type { ModelManifest } from '../models/manifest.ts'

/** The two networks of one Whisper, loaded. */
export interface Sessions {
  readonly encoder: InferenceSession
  readonly decoder: InferenceSession
}

export async function loadSessions(folder: string, manifest: ModelManifest, threads: number): Promise<Sessions> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
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
