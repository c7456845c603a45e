import { join } from 'node:path'
import { assertFiles, loadManifest, type ModelManifest } from '../models/manifest.ts'
import { createLogMel, type LogMel } from './log-mel.ts'
import { loadSessions, type Sessions } from './sessions.ts'
import { loadTokenizer, type Tokenizer } from './tokenizer.ts'

/** One loaded model, for one thread. */
export interface WhisperModel {
  readonly manifest: ModelManifest
  readonly sessions: Sessions
  readonly tokenizer: Tokenizer
  readonly logMel: LogMel
}

/** @throws ModelError when the folder holds no model of this format */
export async function loadWhisper(folder: string, threads: number): Promise<WhisperModel> {
  const manifest = await loadManifest(folder)
  await assertFiles(folder, manifest)
  const [sessions, tokenizer] = await Promise.all([
    loadSessions(folder, manifest, threads),
    loadTokenizer(join(folder, manifest.files.vocabulary.name)),
  ])
  return { manifest, sessions, tokenizer, logMel: createLogMel(manifest.dimensions.mels) }
}
