import { basename, join, resolve } from 'node:path'
import { openCt2Model } from './ct2-reader.ts'
import { decodingConfig } from './decoding-config.ts'
import { ModelError } from './errors.ts'
import { parseObject, readText } from './json-file.ts'
import type { WhisperSource } from './source.ts'
import { loadVocabulary } from './vocabulary.ts'

const WHISPER_SPEC = 'WhisperSpec'

/** A faster-whisper folder: model.bin, config.json, and vocabulary.json, vocabulary.txt or tokenizer.json. */
export async function openCt2Source(folder: string): Promise<WhisperSource> {
  const file = join(folder, 'model.bin')
  const weights = await openCt2Model(file)
  if (weights.spec !== WHISPER_SPEC) {
    await weights.close()
    throw new ModelError(`${file} is a ${weights.spec}, not a ${WHISPER_SPEC}.`)
  }
  return {
    format: weights.spec,
    files: [file],
    name: folderName(folder),
    weights,
    loadVocabulary: () => loadVocabulary(folder),
    async loadConfig(dimensions, vocabulary) {
      const path = join(folder, 'config.json')
      const text = await readText(path)
      if (text === undefined) throw new ModelError(`${path} is missing: a faster-whisper folder has one.`)
      const members = { suppressed: 'suppress_ids', suppressedFirst: 'suppress_ids_begin' }
      return decodingConfig([{ path, value: parseObject(path, text) }], members, { dimensions, vocabulary })
    },
    close: () => weights.close(),
  }
}

/** `whisper-base` and `faster-whisper-base` hold the model `base`. */
export function folderName(folder: string): string {
  return basename(resolve(folder)).replace(/^(faster-)?whisper-/, '')
}
