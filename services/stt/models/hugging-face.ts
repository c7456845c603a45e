import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { folderName } from './ct2-source.ts'
import { decodingConfig, type ConfigFile } from './decoding-config.ts'
import { ModelError } from './errors.ts'
import { parseObject, readText } from './json-file.ts'
import { renamed, type Naming } from './naming.ts'
import { openSafetensors } from './safetensors-reader.ts'
import type { Weights, WhisperSource } from './source.ts'
import { loadVocabulary } from './vocabulary.ts'

const attention = (name: string): Naming['selfAttention'] => ({
  norm: `${name}_layer_norm`,
  query: `${name}.q_proj`,
  key: `${name}.k_proj`,
  value: `${name}.v_proj`,
  out: `${name}.out_proj`,
})

/** Names of transformers' `WhisperForConditionalGeneration`. */
const NAMING: Naming = {
  single: {
    'encoder/conv1': 'model.encoder.conv1',
    'encoder/conv2': 'model.encoder.conv2',
    'encoder/position_encodings': 'model.encoder.embed_positions',
    'encoder/layer_norm': 'model.encoder.layer_norm',
    'decoder/embeddings': 'model.decoder.embed_tokens',
    'decoder/position_encodings': 'model.decoder.embed_positions',
    'decoder/layer_norm': 'model.decoder.layer_norm',
  },
  layer: (half, index) => `model.${half}.layers.${index}`,
  selfAttention: attention('self_attn'),
  crossAttention: attention('encoder_attn'),
  feedForward: { norm: 'final_layer_norm', wide: 'fc1', narrow: 'fc2' },
}

/** In this order: the newer one has what was measured for the model. */
const CONFIG_FILES = ['generation_config.json', 'config.json']

const WEIGHT_FILES = ['model.safetensors', 'model.safetensors.index.json']

/** The weights of a Hugging Face folder; undefined when it has none in safetensors. */
export async function safetensorsIn(folder: string): Promise<string | undefined> {
  for (const name of WEIGHT_FILES) {
    const path = join(folder, name)
    if (await exists(path)) return path
  }
  return undefined
}

/** A Hugging Face folder: weights, config.json, generation_config.json, tokenizer.json or vocab.json. */
export async function openSafetensorsSource(folder: string, path: string): Promise<WhisperSource> {
  const weights = await openSafetensors(path)
  // An index says nothing about the bytes of its shards.
  return huggingFaceSource(folder, {
    format: 'safetensors',
    file: path,
    files: weights.files,
    weights,
    close: () => weights.close(),
  })
}

interface FolderWeights {
  readonly format: string
  /** Named in messages. */
  readonly file: string
  readonly files: readonly string[]
  readonly weights: Weights
  close(): Promise<void>
}

/** What all Hugging Face folders share, whatever holds their weights under transformers' names. */
export function huggingFaceSource(
  folder: string,
  { format, file, files, weights, close }: FolderWeights,
): WhisperSource {
  return {
    format,
    files,
    name: folderName(folder),
    weights: renamed(file, weights, NAMING),
    loadVocabulary: () => loadVocabulary(folder),
    async loadConfig(dimensions, vocabulary) {
      const members = { suppressed: 'suppress_tokens', suppressedFirst: 'begin_suppress_tokens' }
      return decodingConfig(await configFiles(folder), members, { dimensions, vocabulary })
    },
    close,
  }
}

async function configFiles(folder: string): Promise<ConfigFile[]> {
  const files: ConfigFile[] = []
  for (const name of CONFIG_FILES) {
    const path = join(folder, name)
    const text = await readText(path)
    if (text !== undefined) files.push({ path, value: parseObject(path, text) })
  }
  for (const { path, value } of files) {
    const kind = value['model_type']
    if (kind !== undefined && kind !== 'whisper')
      throw new ModelError(`${path} is of a ${JSON.stringify(kind)} model, not of Whisper.`)
  }
  return files
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
