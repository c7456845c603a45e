import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { openCt2Model } from './ct2-reader.ts'
import { ModelError } from './errors.ts'
import { decoderGraph } from './graph/decoder-graph.ts'
import { encoderGraph } from './graph/encoder-graph.ts'
import { MANIFEST_FILE, MODEL_FORMAT, type ModelFile, type ModelManifest } from './manifest.ts'
import { encodedBytes, type Encoded } from './protobuf.ts'
import { loadSourceConfig, readDimensions } from './source.ts'
import { loadVocabulary } from './vocabulary.ts'

export interface ImportOptions {
  /** A faster-whisper folder: model.bin, config.json, and vocabulary.json, vocabulary.txt or tokenizer.json. */
  readonly from: string
  /** Folder to write. One that holds a model is replaced as a whole. */
  readonly to: string
  readonly precision: 'int8' | 'fp32'
  /** Name of the model; by default that of the source folder without `whisper-`. */
  readonly name?: string
  /** Called when a step begins. */
  readonly onProgress?: (step: ImportStep) => void
}

export type ImportStep = 'reading' | 'encoder' | 'decoder' | 'vocabulary' | 'done'

/** OpenAI published the weights of every Whisper under it. */
const WEIGHTS_LICENSE = 'MIT'

/** Protobuf readers refuse larger messages. */
const MAX_ONNX_BYTES = 2 ** 31 - 1

/** First vocabulary size with languages; English-only models have one token less. */
const MULTILINGUAL_VOCABULARY = 51_865

/**
 * Converts a CTranslate2 Whisper to the folder the recogniser loads. The folder appears at once and whole, or not at
 * all.
 * @throws {@link ModelError} for files that are missing, unknown or corrupt.
 */
export async function importModel(options: ImportOptions): Promise<ModelManifest> {
  const to = resolve(options.to)
  await assertReplaceable(to)
  await mkdir(dirname(to), { recursive: true })
  const temporary = await mkdtemp(join(dirname(to), `.${basename(to)}-`))
  try {
    const manifest = await writeModel(temporary, options)
    // Temporary folders are private; a model need not be.
    await chmod(temporary, 0o755)
    await replaceFolder(temporary, to)
    options.onProgress?.('done')
    return manifest
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function writeModel(folder: string, options: ImportOptions): Promise<ModelManifest> {
  const { from, precision, onProgress } = options
  onProgress?.('reading')
  const source = join(from, 'model.bin')
  const weights = await openCt2Model(source)
  try {
    if (weights.spec !== 'WhisperSpec') throw new ModelError(`${source} is a ${weights.spec}, not a WhisperSpec.`)
    const dimensions = readDimensions(weights)
    const config = await loadSourceConfig(from, dimensions)
    const vocabulary = await loadVocabulary(from)
    const sha256 = await fileSha256(source)
    const multilingual = dimensions.vocabulary >= MULTILINGUAL_VOCABULARY

    onProgress?.('encoder')
    const encoder = await writeFileOf(folder, 'encoder.onnx', await encoderGraph(weights, dimensions, precision))
    onProgress?.('decoder')
    const graph = await decoderGraph(weights, { dimensions, precision, alignmentHeads: config.alignmentHeads })
    const decoder = await writeFileOf(folder, 'decoder.onnx', graph)
    onProgress?.('vocabulary')
    const texts = Buffer.from(JSON.stringify(vocabulary.texts), 'utf8')

    const manifest: ModelManifest = {
      format: MODEL_FORMAT,
      name: options.name ?? basename(resolve(from)).replace(/^(faster-)?whisper-/, ''),
      version: `${precision}-${sha256.slice(0, 8)}`,
      precision,
      multilingual,
      dimensions,
      tokens: vocabulary.tokens,
      languages: multilingual ? vocabulary.languages : {},
      alignmentHeads: config.alignmentHeads,
      suppressed: config.suppressed,
      suppressedFirst: config.suppressedFirst,
      files: { encoder, decoder, vocabulary: await writeFileOf(folder, 'vocabulary.json', [texts]) },
      source: { file: 'model.bin', sha256, spec: weights.spec },
      license: WEIGHTS_LICENSE,
    }
    await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 1)}\n`)
    return manifest
  } finally {
    await weights.close()
  }
}

async function writeFileOf(folder: string, name: string, content: Encoded): Promise<ModelFile> {
  const bytes = encodedBytes(content)
  if (bytes > MAX_ONNX_BYTES) {
    throw new ModelError(`${name} would have ${bytes} bytes, more than an ONNX file can hold; import it as int8.`)
  }
  const hash = createHash('sha256')
  const file = await open(join(folder, name), 'w')
  try {
    for (const piece of content) {
      hash.update(piece)
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Only an empty folder or an earlier import may be replaced. */
async function assertReplaceable(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new ModelError(`${folder} cannot be written.`, { cause: error })
  })
  if (names.length > 0 && !names.includes(MANIFEST_FILE)) {
    throw new ModelError(`${folder} holds other files and no model; choose an empty or a new folder.`)
  }
}

async function replaceFolder(temporary: string, to: string): Promise<void> {
  const previous = `${temporary}-previous`
  const hadPrevious = await rename(to, previous).then(
    () => true,
    () => false,
  )
  await rename(temporary, to)
  if (hadPrevious) await rm(previous, { recursive: true, force: true })
}
