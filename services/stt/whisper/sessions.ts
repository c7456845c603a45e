import { join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import type { Device } from '../../wire/device.ts'
import type { ModelManifest } from '../models/manifest.ts'

/** A loaded network. */
export interface Network {
  readonly outputNames: readonly string[]
  run(feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType): Promise<InferenceSession.ReturnType>
}

/** The two networks of one Whisper. */
export interface Sessions {
  readonly encoder: Network
  readonly decoder: Network
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
  options: SessionOptions,
): Promise<Sessions> {
  const [encoder, decoder] = await Promise.all([
    loadEncoder(folder, manifest, options),
    InferenceSession.create(join(folder, manifest.files.decoder.graph.name), libraryOptions(options)),
  ])
  return { encoder, decoder }
}

export function loadEncoder(
  folder: string,
  manifest: ModelManifest,
  options: SessionOptions,
): Promise<InferenceSession> {
  return InferenceSession.create(join(folder, manifest.files.encoder.graph.name), libraryOptions(options))
}

function libraryOptions({ threads, device }: SessionOptions): InferenceSession.SessionOptions {
  return {
    // Nodes that a device has no form of run on the CPU, whether it is named or not.
    executionProviders: [device],
    ...(device !== 'cpu' && { logSeverityLevel: GPU_LOG_LEVEL }),
    // The library would keep for each session the most that any window took: 110 MB of two workers, and no faster.
    enableCpuMemArena: false,
    enableMemPattern: false,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Workers share the cores with the sockets and with each other: idle threads must sleep.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }
}
