import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelError } from './errors.ts'

/** Raised when the files of a model folder change shape. */
export const MODEL_FORMAT = 4
export const MANIFEST_FILE = 'model.json'

/** Sizes of one Whisper, all read from its tensors. */
export interface WhisperDimensions {
  readonly mels: number
  /** Encoder positions of a 30 s window. */
  readonly audioPositions: number
  /** Longest text, prompt included. */
  readonly textPositions: number
  readonly state: number
  readonly heads: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  readonly vocabulary: number
}

/** Ids of the tokens that steer decoding. Ids below `endOfText` are text, from `firstTimestamp` up 20 ms each. */
export interface SpecialTokens {
  readonly endOfText: number
  readonly startOfTranscript: number
  readonly transcribe: number
  readonly startOfPrevious: number
  readonly noSpeech: number
  readonly noTimestamps: number
  readonly firstTimestamp: number
}

/** A decoder head whose cross-attention follows the audio. */
export interface AlignmentHead {
  readonly layer: number
  readonly head: number
}

export interface ModelFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** An ONNX graph, and beside it the constants it refers to. */
export interface NetworkFiles {
  readonly graph: ModelFile
  readonly weights: ModelFile
}

/** `model.json`: what a folder written by `importModel` holds. */
export interface ModelManifest {
  readonly format: number
  readonly name: string
  readonly version: string
  readonly precision: 'int8' | 'fp32'
  readonly multilingual: boolean
  readonly dimensions: WhisperDimensions
  readonly tokens: SpecialTokens
  /** Language tag → its token; empty for English-only models. */
  readonly languages: Readonly<Record<string, number>>
  readonly alignmentHeads: readonly AlignmentHead[]
  /** Never chosen: punctuation of subtitles, symbols, control tokens. */
  readonly suppressed: readonly number[]
  /** Not chosen first. */
  readonly suppressedFirst: readonly number[]
  readonly files: {
    readonly encoder: NetworkFiles
    readonly decoder: NetworkFiles
    readonly vocabulary: ModelFile
  }
  readonly source: { readonly file: string; readonly sha256: string; readonly spec: string }
  readonly license: string
}

/** @throws {@link ModelError} when the folder holds no model or one of another format. */
export async function loadManifest(folder: string): Promise<ModelManifest> {
  const path = join(folder, MANIFEST_FILE)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ModelError(`${folder} holds no model: ${MANIFEST_FILE} is missing. "models import" writes one.`, {
      cause: error,
    })
  })
  return parseManifest(path, text)
}

export function modelFiles({ files: { encoder, decoder, vocabulary } }: ModelManifest): ModelFile[] {
  return [encoder.graph, encoder.weights, decoder.graph, decoder.weights, vocabulary]
}

/**
 * Checks that all files are there and whole, by their sizes: their checksums would take longer than loading them.
 * @throws {@link ModelError} naming the first file that is not
 */
export async function assertFiles(folder: string, manifest: ModelManifest): Promise<void> {
  for (const { name, bytes } of modelFiles(manifest)) {
    const path = join(folder, name)
    const { size } = await stat(path).catch((error: unknown) => {
      throw new ModelError(`${path} is missing. Import the model again.`, { cause: error })
    })
    if (size !== bytes) throw new ModelError(`${path} has ${size} bytes instead of ${bytes}. Import the model again.`)
  }
}

function parseManifest(path: string, text: string): ModelManifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ModelError(`${path} is not JSON.`, { cause: error })
  }
  const format: unknown = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (format !== MODEL_FORMAT) {
    throw new ModelError(`${path} is of format ${String(format)}; this version reads ${MODEL_FORMAT}. Import it again.`)
  }
  // Only importModel writes this file, and the format number guards its shape.
  return value as ModelManifest
}
