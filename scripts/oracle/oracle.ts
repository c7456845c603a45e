import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A word, its first and last second, its probability. */
export type OracleWord = readonly [word: string, startSeconds: number, endSeconds: number, probability: number]

export interface OracleClip {
  readonly file: string
  readonly samples: Float32Array
  readonly text: string
  readonly segments: readonly { readonly tokens: readonly number[]; readonly words: readonly OracleWord[] }[]
}

/** Single values: [row, column, value]. */
export type Probe = readonly [row: number, column: number, value: number]

export interface Oracle {
  readonly clips: readonly OracleClip[]
  /** Of the first clip, padded with silence to 30 s. */
  readonly probes: {
    readonly log_mel: { readonly values: readonly Probe[]; readonly mean: number }
    readonly encoder_last_hidden_state: { readonly values: readonly Probe[]; readonly mean: number }
    readonly generate_from_sot: { readonly tokens: readonly number[]; readonly no_speech_prob: number }
    readonly generate_without_timestamps: { readonly tokens: readonly number[] }
  }
}

interface OracleFile {
  readonly clips: Readonly<Record<string, Omit<OracleClip, 'file' | 'samples'>>>
  readonly probes_jfk_padded_to_30s: Oracle['probes']
}

export async function loadOracle(weightsDir: string, audioDir: string): Promise<Oracle> {
  const file = JSON.parse(await readFile(join(weightsDir, 'oracle.json'), 'utf8')) as OracleFile
  const clips: OracleClip[] = []
  for (const [name, clip] of Object.entries(file.clips)) {
    clips.push({ file: name, ...clip, samples: await readSpeech(join(audioDir, name)) })
  }
  return { clips, probes: file.probes_jfk_padded_to_30s }
}

/** The clips are all 16 kHz, mono, 16 bit. */
async function readSpeech(path: string): Promise<Float32Array> {
  const bytes = await readFile(path)
  const start = bytes.indexOf('data') + 8
  return Float32Array.from({ length: (bytes.length - start) >> 1 }, (_, index) => {
    return bytes.readInt16LE(start + 2 * index) / 2 ** 15
  })
}
