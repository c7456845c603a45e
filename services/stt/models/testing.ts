import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Weights } from './source.ts'

/** Sizes of the smallest thing that is still a Whisper. */
export const TINY = { mels: 80, positions: 30, text: 16, state: 64, vocabulary: 24 } as const

type Variable = readonly [name: string, shape: readonly number[], values?: ArrayLike<number>]

const TYPE = { float32: 0, int8: 1, int16: 2, float16: 4 } as const

/** A `model.bin` with the given variables as float32, in CTranslate2's layout. */
export function ct2File(variables: readonly Variable[], { version = 6, spec = 'WhisperSpec' } = {}): Buffer {
  const parts = [u32(version), text(spec), u32(3), u32(variables.length)]
  for (const [name, shape, values] of variables) {
    const floats = Float32Array.from(values ?? randomWeights(name, shape))
    parts.push(...variable(name, { shape, type: TYPE.float32, bytes: Buffer.from(floats.buffer) }))
  }
  parts.push(u32(1), text('decoder/projection/weight'), text('decoder/embeddings/weight'))
  return Buffer.concat(parts)
}

/** One variable as it stands in the file. */
export function variable(
  name: string,
  { shape, type, bytes }: { readonly shape: readonly number[]; readonly type: number; readonly bytes: Buffer },
): Buffer[] {
  return [text(name), Buffer.from([shape.length]), ...shape.map(u32), Buffer.from([type]), u32(bytes.length), bytes]
}

/** Writes a faster-whisper folder of a Whisper with one layer, one head and random weights, or other ones. */
export async function writeTinyWhisper(
  folder: string,
  kind: 'english' | 'multilingual' = 'english',
  other?: { readonly names: readonly string[]; readonly weights: Weights },
): Promise<void> {
  const names = kind === 'english' ? tinyNames() : multilingualVocabulary()
  const variables: Variable[] = other ? [] : tinyVariables(kind === 'english' ? TINY.vocabulary : names.length)
  for (const name of other?.names ?? []) {
    const { shape = [], values } = (await other?.weights.read(name)) ?? {}
    variables.push(values ? [name, shape, values] : [name, shape])
  }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'model.bin'), ct2File(variables))
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ alignment_heads: [[0, 0]], suppress_ids: [1], suppress_ids_begin: [2] }),
  )
  await writeFile(join(folder, 'vocabulary.txt'), `${names.join('\n')}\n`)
}

export function tinyNames(): string[] {
  const special = ['<|endoftext|>', '<|startoftranscript|>', '<|en|>', '<|transcribe|>', '<|startofprev|>']
  const texts = ['a', 'b', 'c', 'Ġd', 'e', 'f', 'g', 'h', 'i', 'j']
  return [...texts, ...special, '<|nospeech|>', '<|notimestamps|>', '<|0.00|>', '<|0.02|>', '<|0.04|>']
}

/** As many tokens as the first multilingual Whisper has, of two languages. */
function multilingualVocabulary(): string[] {
  const texts = Array.from({ length: 50_257 }, (_, id) => `x${id}`)
  const special = ['<|endoftext|>', '<|startoftranscript|>', '<|en|>', '<|de|>', '<|transcribe|>', '<|startofprev|>']
  const names = [...texts, ...special, '<|nospeech|>', '<|notimestamps|>']
  return [...names, ...Array.from({ length: 51_865 - names.length }, (_, id) => `<|${id}|>`)]
}

export function tinyVariables(vocabulary: number = TINY.vocabulary): Variable[] {
  const { mels, positions, text: textPositions, state } = TINY
  return [
    ['encoder/conv1/weight', [state, mels, 3]],
    ['encoder/conv1/bias', [state]],
    ['encoder/conv2/weight', [state, state, 3]],
    ['encoder/conv2/bias', [state]],
    ['encoder/position_encodings/encodings', [positions, state]],
    ...norm('encoder/layer_norm', state),
    ...attention('encoder/layer_0/self_attention', [3 * state, state]),
    ...feedForward('encoder/layer_0/ffn'),
    ['decoder/embeddings/weight', [vocabulary, state]],
    ['decoder/position_encodings/encodings', [textPositions, state]],
    ...norm('decoder/layer_norm', state),
    ...attention('decoder/layer_0/self_attention', [3 * state, state]),
    ...attention('decoder/layer_0/attention', [state, 2 * state, state]),
    ...feedForward('decoder/layer_0/ffn'),
  ]
}

function norm(name: string, size: number): Variable[] {
  return [
    [`${name}/gamma`, [size]],
    [`${name}/beta`, [size]],
  ]
}

function attention(name: string, outputs: readonly number[]): Variable[] {
  return [
    ...norm(`${name}/layer_norm`, TINY.state),
    ...outputs.flatMap((output, index): Variable[] => [
      [`${name}/linear_${index}/weight`, [output, TINY.state]],
      [`${name}/linear_${index}/bias`, [output]],
    ]),
  ]
}

function feedForward(name: string): Variable[] {
  const wide = 4 * TINY.state
  return [
    ...norm(`${name}/layer_norm`, TINY.state),
    [`${name}/linear_0/weight`, [wide, TINY.state]],
    [`${name}/linear_0/bias`, [wide]],
    [`${name}/linear_1/weight`, [TINY.state, wide]],
    [`${name}/linear_1/bias`, [TINY.state]],
  ]
}

/** The same numbers for the same name, between -0.2 and 0.2; around 1 for scales. */
export function randomWeights(name: string, shape: readonly number[]): Float32Array {
  let seed = Array.from(name).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 2 ** 31, 7)
  const size = shape.reduce((product, length) => product * length, 1)
  return Float32Array.from({ length: size }, () => {
    // Numerical Recipes' linear congruential generator.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return 0.4 * (seed / 2 ** 32 - 0.5) + (name.endsWith('gamma') ? 1 : 0)
  })
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(`${value}\0`)
  return Buffer.concat([u16(bytes.length), bytes])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
