import type { AlignmentHead, WhisperDimensions } from './manifest.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Numbers in row-major order: the last dimension runs fastest. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Tensors of a file by name: the table of contents in memory, values read on demand. */
export interface Weights {
  has(name: string): boolean
  /** @throws ModelError when there is no such tensor */
  shape(name: string): readonly number[]
  /** @throws ModelError when the tensor is missing, cut short or of a type that holds no weights */
  read(name: string): Promise<Tensor>
}

/** What decoding needs beside the weights. */
export interface SourceConfig {
  readonly alignmentHeads: readonly AlignmentHead[]
  /** Token ids that are never chosen. */
  readonly suppressed: readonly number[]
  /** Token ids that are not chosen first. */
  readonly suppressedFirst: readonly number[]
}

/**
 * The one form into which every format is brought before it is written. Tensors have CTranslate2's names and shapes
 * (`layout.ts` lists them): query, key and value of self-attention in one, key and value of cross-attention in one.
 */
export interface WhisperSource {
  /** Written into the manifest: `WhisperSpec`, `ggml q5_1`, `safetensors`, `onnx`. */
  readonly format: string
  /** The files with the weights, absolute; their bytes give the model its version. */
  readonly files: readonly string[]
  /** Name of the model, unless the importer is told another. */
  readonly name: string
  readonly weights: Weights
  loadVocabulary(dimensions: WhisperDimensions): Promise<Vocabulary>
  loadConfig(dimensions: WhisperDimensions, vocabulary: Vocabulary): Promise<SourceConfig>
  close(): Promise<void>
}
