import { copyFile, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Precision } from '../../../services/stt/models/graph/layers.ts'
import type { GraphBuilder } from '../../../services/stt/models/onnx-writer.ts'
import { hfDecoder, hfEncoder } from './hf-graphs.ts'
import { type SourceModel, withWeights } from './weights.ts'

/** As transformers.js names the files of each precision. */
const SUFFIX: Readonly<Record<Precision, string>> = { fp32: '', int8: '_quantized' }

/** Writes a Whisper in the layout that transformers.js loads, both precisions. */
export async function writeHfFolder(weightsDir: string, folder: string): Promise<void> {
  const part = `${folder}.part`
  await rm(part, { recursive: true, force: true })
  await mkdir(join(part, 'onnx'), { recursive: true })
  await withWeights(weightsDir, async (model) => {
    const { written, dimensions } = model
    for (const precision of ['fp32', 'int8'] as const) {
      const place = (name: string): string => join(part, 'onnx', `${name}${SUFFIX[precision]}.onnx`)
      await writeGraph(place('encoder_model'), await hfEncoder(written.weights, dimensions, precision))
      await writeGraph(place('decoder_model_merged'), await hfDecoder(written.weights, dimensions, precision))
    }
    for (const [name, value] of Object.entries(configurations(model)))
      await writeFile(join(part, `${name}.json`), JSON.stringify(value))
    await copyFile(join(weightsDir, 'tokenizer.json'), join(part, 'tokenizer.json'))
  })
  await rename(part, folder)
}

async function writeGraph(path: string, graph: GraphBuilder): Promise<void> {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const model = graph.toModel(`${name}_data`)
  for (const [file, pieces] of [[path, model.graph] as const, [`${path}_data`, model.weights] as const]) {
    const handle = await open(file, 'w')
    try {
      for (const piece of pieces) await handle.write(piece)
    } finally {
      await handle.close()
    }
  }
}

/** Of an English-only Whisper. */
function configurations({ dimensions, vocabulary, config }: SourceModel): Readonly<Record<string, unknown>> {
  const { tokens } = vocabulary
  const { mels, audioPositions, textPositions, state, heads, encoderLayers, decoderLayers } = dimensions
  const ids = {
    bos_token_id: tokens.endOfText,
    eos_token_id: tokens.endOfText,
    pad_token_id: tokens.endOfText,
    decoder_start_token_id: tokens.startOfTranscript,
  }
  return {
    config: {
      ...ids,
      architectures: ['WhisperForConditionalGeneration'],
      model_type: 'whisper',
      is_encoder_decoder: true,
      vocab_size: dimensions.vocabulary,
      num_mel_bins: mels,
      d_model: state,
      encoder_layers: encoderLayers,
      encoder_attention_heads: heads,
      encoder_ffn_dim: 4 * state,
      decoder_layers: decoderLayers,
      decoder_attention_heads: heads,
      decoder_ffn_dim: 4 * state,
      max_source_positions: audioPositions,
      max_target_positions: textPositions,
    },
    generation_config: {
      ...ids,
      is_multilingual: false,
      max_length: textPositions,
      max_initial_timestamp_index: 50,
      no_timestamps_token_id: tokens.noTimestamps,
      prev_sot_token_id: tokens.startOfPrevious,
      return_timestamps: false,
      suppress_tokens: config.suppressed,
      begin_suppress_tokens: config.suppressedFirst,
    },
    preprocessor_config: {
      feature_extractor_type: 'WhisperFeatureExtractor',
      processor_class: 'WhisperProcessor',
      feature_size: mels,
      sampling_rate: 16_000,
      n_fft: 400,
      hop_length: 160,
      chunk_length: 30,
      n_samples: 480_000,
      nb_max_frames: 3000,
      padding_value: 0,
    },
    tokenizer_config: { tokenizer_class: 'WhisperTokenizer', model_max_length: 1024 },
  }
}
