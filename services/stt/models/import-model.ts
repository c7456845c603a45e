import { chmod, copyFile, mkdtemp, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { makeFolder } from '../../wire/make-folder.ts'
import { MULTILINGUAL_VOCABULARY } from './alignment-heads.ts'
import { ModelError } from './errors.ts'
import { decoderGraph } from './graph/decoder-graph.ts'
import { encoderGraph } from './graph/encoder-graph.ts'
import { hashFiles } from './hash-files.ts'
import { readDimensions } from './layout.ts'
import { MANIFEST_FILE, MODEL_FORMAT, type ModelFile, type ModelManifest, type NetworkFiles } from './manifest.ts'
import { openSource } from './open-source.ts'
import type { GraphBuilder } from './onnx-writer.ts'
import type { Encoded } from './protobuf.ts'
import type { WhisperSource } from './source.ts'

export interface ImportOptions {
  /** A folder or file of any known format, told by its content: CTranslate2, ggml, safetensors, ONNX. */
  readonly from: string
  /** Folder to write. One that holds a model is replaced as a whole. */
  readonly to: string
  readonly precision: 'int8' | 'fp32'
  /** Name of the model; by default that of the source without `whisper-`. */
  readonly name?: string
  /** Called when a step begins. */
  readonly onProgress?: (step: ImportStep) => void
  /** Ends the import at its next step; what it wrote goes. */
  readonly signal?: AbortSignal
}

export type ImportStep = 'reading' | 'encoder' | 'decoder' | 'vocabulary' | 'done'

/** OpenAI published the weights of every Whisper under it. */
const WEIGHTS_LICENSE = 'MIT'

const VOCABULARY_FILE = 'vocabulary.json'

/**
 * Converts a Whisper to the folder the recogniser loads. The folder appears at once and whole, or not at
 * all.
 * @throws {@link ModelError} for files that are missing, unknown or corrupt
 * @throws the signal's reason when it is aborted, and the system's own errors of a disk that is full or read-only
 */
export async function importModel(options: ImportOptions): Promise<ModelManifest> {
  const to = resolve(options.to)
  await assertReplaceable(to)
  await makeFolder(dirname(to))
  const temporary = await mkdtemp(join(dirname(to), `.${basename(to)}-`))
  try {
    await sweep(to, temporary)
    const manifest = await writeModel(temporary, options)
    await keepOtherFiles(to, temporary)
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
  options.onProgress?.('reading')
  const source = await openSource(options.from)
  try {
    return await convert(folder, source, options)
  } finally {
    await source.close()
  }
}

async function convert(folder: string, source: WhisperSource, options: ImportOptions): Promise<ModelManifest> {
  const { precision, signal } = options
  const onProgress = (step: ImportStep): void => {
    signal?.throwIfAborted()
    options.onProgress?.(step)
  }
  const { weights, files } = source
  const [file = ''] = files
  const dimensions = readDimensions(file, weights)
  const vocabulary = await source.loadVocabulary(dimensions)
  const config = await source.loadConfig(dimensions, vocabulary)
  const sha256 = await hashFiles(files)
  const multilingual = dimensions.vocabulary >= MULTILINGUAL_VOCABULARY

  onProgress('encoder')
  const encoder = await writeGraph(folder, 'encoder', await encoderGraph(weights, dimensions, precision))
  onProgress('decoder')
  const { alignmentHeads } = config
  const decoder = await writeGraph(
    folder,
    'decoder',
    await decoderGraph(weights, { dimensions, precision, alignmentHeads }),
  )
  onProgress('vocabulary')
  await writeFile(join(folder, VOCABULARY_FILE), JSON.stringify(vocabulary.texts))

  const manifest: ModelManifest = {
    format: MODEL_FORMAT,
    name: options.name ?? source.name,
    version: `${precision}-${sha256.slice(0, 8)}`,
    precision,
    multilingual,
    dimensions,
    tokens: vocabulary.tokens,
    languages: multilingual ? vocabulary.languages : {},
    alignmentHeads,
    suppressed: config.suppressed,
    suppressedFirst: config.suppressedFirst,
    files: { encoder, decoder, vocabulary: await describeFile(folder, VOCABULARY_FILE) },
    source: { file: basename(file), sha256, spec: source.format },
    license: WEIGHTS_LICENSE,
  }
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 1)}\n`)
  return manifest
}

async function writeGraph(folder: string, name: 'encoder' | 'decoder', graph: GraphBuilder): Promise<NetworkFiles> {
  const weightsFile = `${name}.weights`
  const model = graph.toModel(weightsFile)
  return {
    graph: await writePieces(folder, `${name}.onnx`, model.graph),
    weights: await writePieces(folder, weightsFile, model.weights),
  }
}

async function writePieces(folder: string, name: string, pieces: Encoded): Promise<ModelFile> {
  const file = await open(join(folder, name), 'w')
  try {
    // Unlike `write` it goes on after a part of a piece.
    for (const piece of pieces) await file.writeFile(piece)
  } finally {
    await file.close()
  }
  return describeFile(folder, name)
}

async function describeFile(folder: string, name: string): Promise<ModelFile> {
  const path = join(folder, name)
  const { size } = await stat(path)
  return { name, bytes: size, sha256: await hashFiles([path]) }
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

/** What people put beside a model, such as a README, survives its replacement: also that of an older format. */
async function keepOtherFiles(previous: string, next: string): Promise<void> {
  const replaced = new Set(await readdir(next))
  const entries = await readdir(previous, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (entry.isFile() && !replaced.has(entry.name)) await copyFile(join(previous, entry.name), join(next, entry.name))
  }
}

async function replaceFolder(next: string, to: string): Promise<void> {
  const previous = `${next}-previous`
  const hadPrevious = await rename(to, previous).then(
    () => true,
    () => false,
  )
  await rename(next, to).catch(async (error: unknown) => {
    if (hadPrevious) await rename(previous, to).catch(() => undefined)
    throw error
  })
  if (hadPrevious) await rm(previous, { recursive: true, force: true })
}

/** Far longer than any import takes. */
const STALE_MS = 24 * 60 * 60 * 1000

/** What imports of the same name left behind that were killed: gigabytes that nobody would find. */
async function sweep(to: string, temporary: string): Promise<void> {
  const place = dirname(to)
  const { mtimeMs: nowMs } = await stat(temporary)
  for (const name of await readdir(place)) {
    const path = join(place, name)
    if (path === temporary || !name.startsWith(`.${basename(to)}-`) || !SUFFIX.test(name)) continue
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }))
    if (nowMs - mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}

/** What mkdtemp adds to a name. */
const SUFFIX = /-\w{6}$/
