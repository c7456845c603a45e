import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const fixtures = new URL('../../../fixtures/', import.meta.url)

/** The bundled model. */
export const MODEL_DIR = fileURLToPath(new URL('models/whisper-tiny.en', fixtures))

/** What faster-whisper says about the clips, in single precision: `oracle.json` beside the bundled model. */
export interface Expectations {
  readonly clips: Readonly<Record<string, ExpectedClip>>
  readonly jfk_padded_to_30s: {
    readonly log_mel: {
      readonly values: readonly (readonly [band: number, frame: number, value: number])[]
      readonly mean: number
    }
    readonly no_speech_prob: number
  }
}

export interface ExpectedClip {
  readonly text: string
  readonly words: readonly (readonly [word: string, startSeconds: number, endSeconds: number, probability: number])[]
}

export async function loadExpectations(): Promise<Expectations> {
  const path = new URL('models/whisper-tiny.en/oracle.json', fixtures)
  return JSON.parse(await readFile(path, 'utf8')) as Expectations
}

/** A clip of fixtures/audio, all of which are 16 kHz, mono, 16 bit. */
export async function readClip(file: string): Promise<Float32Array> {
  const bytes = await readFile(new URL(`audio/${file}`, fixtures))
  const start = bytes.indexOf('data') + 8
  return Float32Array.from(
    { length: (bytes.length - start) >> 1 },
    (_, index) => bytes.readInt16LE(start + 2 * index) / 2 ** 15,
  )
}
