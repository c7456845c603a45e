import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readDimensions, whisperLayout } from '../../../services/stt/models/layout.ts'
import type { WhisperDimensions } from '../../../services/stt/models/manifest.ts'
import { openSource } from '../../../services/stt/models/open-source.ts'
import type { SourceConfig } from '../../../services/stt/models/source.ts'
import type { Written } from '../../../services/stt/models/testing-formats.ts'
import type { Vocabulary } from '../../../services/stt/models/vocabulary.ts'

/** A Whisper to be written for other recognisers. */
export interface SourceModel {
  readonly dimensions: WhisperDimensions
  readonly vocabulary: Vocabulary
  readonly config: SourceConfig
  readonly written: Written
}

/** Lends the model of a faster-whisper folder. */
export async function withWeights<T>(weightsDir: string, use: (model: SourceModel) => Promise<T>): Promise<T> {
  const source = await openSource(weightsDir)
  try {
    const { weights } = source
    const dimensions = readDimensions(weightsDir, weights)
    const vocabulary = await source.loadVocabulary(dimensions)
    const config = await source.loadConfig(dimensions, vocabulary)
    const names = whisperLayout(dimensions).map(([name]) => name)
    return await use({ dimensions, vocabulary, config, written: { names, weights } })
  } finally {
    await source.close()
  }
}

export function hasWeights(weightsDir: string): boolean {
  return existsSync(join(weightsDir, 'model.bin'))
}
