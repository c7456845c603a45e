import { join } from 'node:path'
import type { Device } from '../../wire/device.ts'
import { warmUp } from '../devices/warm-up.ts'
import { assertFiles, loadManifest, type ModelManifest } from '../models/manifest.ts'
import { createDecoder, type Decoder } from './decoder/decoder.ts'
import { createLogMel, type LogMel } from './spectrogram/log-mel.ts'
import { loadSessions, type Sessions } from './sessions.ts'
import { loadTokenizer, type Tokenizer } from './text/tokenizer.ts'

/** One loaded model, for one thread. */
export interface WhisperModel {
  readonly manifest: ModelManifest
  readonly sessions: Sessions
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  readonly logMel: LogMel
}

/**
 * A GPU is used once before this resolves: what loads there need not run.
 *
 * @throws ModelError when the folder holds no model of this format
 * @throws Error in the library's words when the device cannot load or run it
 */
export async function loadWhisper(folder: string, threads: number, device: Device = 'cpu'): Promise<WhisperModel> {
  const manifest = await loadManifest(folder)
  await assertFiles(folder, manifest)
  const [sessions, tokenizer] = await Promise.all([
    loadSessions(folder, manifest, { threads, device }),
    loadTokenizer(join(folder, manifest.files.vocabulary.name)),
  ])
  if (device !== 'cpu') await warmUp(sessions, manifest)
  const decoder = createDecoder(sessions.decoder, manifest.dimensions)
  return { manifest, sessions, decoder, tokenizer, logMel: createLogMel(manifest.dimensions.mels) }
}
