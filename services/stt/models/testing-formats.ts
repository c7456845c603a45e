import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor, Weights } from './source.ts'
import { encodeFloats, type FloatFormat } from './testing-halves.ts'
import { bytesField, intField, messageField, stringField, type Encoded } from './protobuf.ts'
import { packBlocks, type Packing } from './testing-ggml.ts'

/** A Whisper to be written in other formats: all its tensors under CTranslate2's names. */
export interface Written {
  readonly names: readonly string[]
  readonly weights: Weights
}

type Style = 'hugging face' | 'openai'

interface Part extends Tensor {
  readonly name: string
}

/** The tensors one after the other, under another format's names. */
async function* parts({ names, weights }: Written, style: Style): AsyncGenerator<Part> {
  for (const name of names) {
    const { shape, values } = await weights.read(name)
    const targets = (style === 'openai' ? openAiNames : huggingFaceNames)(name)
    const [rows = 0, ...rest] = shape
    const height = rows / targets.length
    for (const [index, target] of targets.entries()) {
      const size = values.length / targets.length
      // Whisper's keys have no bias.
      if (/(k_proj|key)\.bias$/.test(target)) continue
      yield { name: target, shape: [height, ...rest], values: values.slice(index * size, (index + 1) * size) }
    }
  }
}

function huggingFaceNames(name: string): string[] {
  const [half = '', second = '', third = '', fourth = '', fifth = ''] = name.split('/')
  const kind = (last: string): string => (last === 'bias' || last === 'beta' ? 'bias' : 'weight')
  if (second === 'position_encodings') return [`model.${half}.embed_positions.weight`]
  if (second === 'embeddings') return [`model.${half}.embed_tokens.weight`]
  if (!second.startsWith('layer_') || second === 'layer_norm') return [`model.${half}.${second}.${kind(third)}`]
  const layer = `model.${half}.layers.${second.slice('layer_'.length)}`
  const block = { self_attention: 'self_attn', attention: 'encoder_attn', ffn: 'final' }[third] ?? ''
  if (fourth === 'layer_norm') return [`${layer}.${block}_layer_norm.${kind(fifth)}`]
  if (third === 'ffn') return [`${layer}.${fourth === 'linear_0' ? 'fc1' : 'fc2'}.${kind(fifth)}`]
  return projections(third, fourth, ['q_proj', 'k_proj', 'v_proj', 'out_proj']).map(
    (projection) => `${layer}.${block}.${projection}.${kind(fifth)}`,
  )
}

function openAiNames(name: string): string[] {
  const [half = '', second = '', third = '', fourth = '', fifth = ''] = name.split('/')
  const kind = (last: string): string => (last === 'bias' || last === 'beta' ? 'bias' : 'weight')
  if (second === 'position_encodings') return [`${half}.positional_embedding`]
  if (second === 'embeddings') return [`${half}.token_embedding.weight`]
  if (second === 'layer_norm') return [`${half}.${half === 'encoder' ? 'ln_post' : 'ln'}.${kind(third)}`]
  if (!second.startsWith('layer_')) return [`${half}.${second}.${kind(third)}`]
  const layer = `${half}.blocks.${second.slice('layer_'.length)}`
  const block = { self_attention: 'attn', attention: 'cross_attn', ffn: 'mlp' }[third] ?? ''
  if (fourth === 'layer_norm') return [`${layer}.${block}_ln.${kind(fifth)}`]
  if (third === 'ffn') return [`${layer}.mlp.${fourth === 'linear_0' ? 0 : 2}.${kind(fifth)}`]
  return projections(third, fourth, ['query', 'key', 'value', 'out']).map(
    (projection) => `${layer}.${block}.${projection}.${kind(fifth)}`,
  )
}

function projections(block: string, linear: string, [query = '', key = '', value = '', out = '']: string[]): string[] {
  const inputs = block === 'attention' ? [[query], [key, value], [out]] : [[query, key, value], [out]]
  return inputs[Number(linear.slice('linear_'.length))] ?? []
}

/** `model.safetensors`, or several shards and their index. */
export async function writeSafetensors(
  folder: string,
  written: Written,
  { format = 'f32', shards = 1 }: { readonly format?: FloatFormat; readonly shards?: number } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const entries: { readonly name: string; readonly shape: readonly number[]; readonly data: Uint8Array }[] = []
  for await (const { name, shape, values } of parts(written, 'hugging face')) {
    entries.push({ name, shape, data: encodeFloats(values, format) })
  }
  const map: Record<string, string> = {}
  const each = Math.ceil(entries.length / shards)
  for (let shard = 0; shard < shards; shard += 1) {
    const file = shards === 1 ? 'model.safetensors' : `model-0000${shard + 1}-of-0000${shards}.safetensors`
    const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
    const data: Uint8Array[] = []
    let offset = 0
    for (const entry of entries.slice(shard * each, (shard + 1) * each)) {
      const end = offset + entry.data.byteLength
      header[entry.name] = { dtype: format.toUpperCase(), shape: entry.shape, data_offsets: [offset, end] }
      data.push(entry.data)
      offset = end
      map[entry.name] = file
    }
    await writePieces(join(folder, file), [...safetensorsHeader(header), ...data])
  }
  if (shards > 1) await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))
}

export function safetensorsHeader(header: unknown): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return [length, json]
}

/** Of 25 ms at 16 kHz. */
const SPECTRUM_BINS = 201

/** How whisper.cpp numbers what most of a file is packed in. */
const FILE_TYPES: Readonly<Record<Packing, number>> = { f32: 0, f16: 1, q4_0: 2, q4_1: 3, q8_0: 7, q5_0: 8, q5_1: 9 }

export interface GgmlStyle {
  readonly texts: readonly string[]
  readonly packing?: Packing
  /** [mels, {@link SPECTRUM_BINS}]; whisper.cpp hears nothing without, importing needs none. */
  readonly melFilters?: Float32Array
}

/** A file of whisper.cpp; matrices are packed, the rest stays in single precision. */
export async function writeGgml(
  path: string,
  written: Written,
  { texts, packing = 'f32', melFilters }: GgmlStyle,
): Promise<void> {
  const { weights } = written
  const [state = 0, mels = 0] = weights.shape('encoder/conv1/weight')
  const layers = (half: string): number =>
    written.names.filter((name) => name.startsWith(half) && name.endsWith('/self_attention/linear_0/weight')).length
  const header = [
    weights.shape('decoder/embeddings/weight')[0] ?? 0,
    weights.shape('encoder/position_encodings/encodings')[0] ?? 0,
    state,
    state / 64,
    layers('encoder'),
    weights.shape('decoder/position_encodings/encodings')[0] ?? 0,
    state,
    state / 64,
    layers('decoder'),
    mels,
    FILE_TYPES[packing],
  ]
  const filters = melFilters ?? new Float32Array(mels * SPECTRUM_BINS)
  const pieces: Uint8Array[] = [
    words(0x67_67_6d_6c, ...header, mels, SPECTRUM_BINS),
    new Uint8Array(filters.buffer, filters.byteOffset, filters.byteLength),
    words(texts.length),
  ]
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1')
    pieces.push(words(bytes.length), bytes)
  }
  for await (const { name, shape, values } of parts(written, 'openai')) {
    const isMatrix = shape.length === 2 && !name.endsWith('positional_embedding')
    // whisper.cpp packs no convolutions below half precision, and neither biases nor positions at all.
    const isConvolution = shape.length === 3 && packing !== 'f32'
    const { type, data } = packBlocks(values, isMatrix ? packing : isConvolution ? 'f16' : 'f32')
    // Biases of convolutions are columns there.
    const dimensions = /conv\d\.bias$/.test(name) ? [1, ...shape] : shape.toReversed()
    const label = Buffer.from(name)
    pieces.push(words(dimensions.length, label.length, type, ...dimensions), label, data)
  }
  await writePieces(path, pieces)
}

export interface OnnxStyle {
  readonly format?: FloatFormat
  /** Large constants in a file beside the graph. */
  readonly isExternal?: boolean
  /** Nodes of the decoder in a branch of an If, as exports for both first and later steps have them. */
  readonly isMerged?: boolean
  /** Matrices are turned by a node of their own, as exporters without constant folding write them. */
  readonly isUnfolded?: boolean
}

/** `encoder_model.onnx` and a decoder, named as PyTorch's exporter names things: matrices by numbers only. */
export async function writeOnnx(folder: string, written: Written, style: OnnxStyle = {}): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const half of ['encoder', 'decoder'] as const) await writeHalf(folder, half, { written, ...style })
}

async function writeHalf(
  folder: string,
  half: 'encoder' | 'decoder',
  {
    written,
    format = 'f32',
    isExternal = false,
    isMerged = false,
    isUnfolded = false,
  }: OnnxStyle & { readonly written: Written },
): Promise<void> {
  const file = half === 'decoder' && isMerged ? 'decoder_model_merged.onnx' : `${half}_model.onnx`
  const nodes: Encoded[] = []
  const constants: Encoded[] = []
  const external: Uint8Array[] = []
  let offset = 0
  let counter = 100
  const constant = (name: string, shape: readonly number[], values: Float32Array): void => {
    const data = encodeFloats(values, format)
    const place = { location: `${file}_data`, offset: String(offset), length: String(data.byteLength) }
    const head = [
      ...shape.map((size) => intField(1, size)),
      intField(2, { f32: 1, f16: 10, bf16: 16 }[format]),
      stringField(8, name),
    ]
    if (!isExternal) return void constants.push(messageField(5, ...head, bytesField(9, data)))
    const entries = Object.entries(place).map(([key, value]) =>
      messageField(13, stringField(1, key), stringField(2, value)),
    )
    constants.push(messageField(5, ...head, ...entries, intField(14, 1)))
    external.push(data)
    offset += data.byteLength
  }
  const node = (operator: string, name: string, inputs: readonly string[], output: string): void =>
    void nodes.push(
      messageField(
        1,
        ...inputs.map((input) => stringField(1, input)),
        stringField(2, output),
        stringField(3, name),
        stringField(4, operator),
      ),
    )
  for await (const { name, shape, values } of parts(written, 'hugging face')) {
    if (!name.startsWith(`model.${half}.`)) continue
    // The exporter knows the encoder alone by the names inside it.
    const kept = half === 'encoder' ? name.replace('model.encoder.', '') : name
    if (shape.length !== 2 || /embed_(tokens|positions)/.test(name)) {
      constant(kept, shape, values)
      continue
    }
    const module = `/${kept
      .replace(/\.weight$/, '')
      .replaceAll('.', '/')
      .replaceAll(/layers\/(\d+)/g, 'layers.$1')}`
    if (isUnfolded) {
      constant(`onnx::weight_${counter}`, shape, values)
      node('Transpose', `${module}/Transpose`, [`onnx::weight_${counter}`], `onnx::MatMul_${counter}`)
    } else {
      constant(`onnx::MatMul_${counter}`, shape.toReversed(), turned(shape, values))
    }
    node('MatMul', `${module}/MatMul`, [`${module}/input`, `onnx::MatMul_${counter}`], `${module}/MatMul_output_0`)
    node(
      'Add',
      `${module}/Add`,
      [kept.replace(/\.weight$/, '.bias'), `${module}/MatMul_output_0`],
      `${module}/Add_output_0`,
    )
    counter += 1
  }
  const branch = messageField(5, stringField(1, 'then_branch'), messageField(6, ...nodes))
  const body = isMerged ? [messageField(1, stringField(4, 'If'), branch)] : nodes
  await writePieces(join(folder, file), [
    ...intField(1, 9),
    ...messageField(7, ...body, stringField(2, 'main_graph'), ...constants),
  ])
  if (isExternal) await writePieces(join(folder, `${file}_data`), external)
}

function turned([rows = 0, columns = 0]: readonly number[], values: Float32Array): Float32Array {
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1)
      result[column * rows + row] = values[row * columns + column] ?? 0
  }
  return result
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

export async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w')
  try {
    // Gathered, for most pieces are some bytes long.
    let gathered: Uint8Array[] = []
    let bytes = 0
    for (const piece of pieces) {
      gathered.push(piece)
      bytes += piece.byteLength
      if (bytes < 4 * 1024 * 1024) continue
      await file.write(Buffer.concat(gathered))
      gathered = []
      bytes = 0
    }
    await file.write(Buffer.concat(gathered))
  } finally {
    await file.close()
  }
}
