import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { SpokenWord } from '../../wire/speech.ts'

/** What the scripted engine says. */
export interface Script {
  /** Said for every file that is not listed, and in every live stream. */
  readonly default: string
  /** By SHA-256, in hex, of the file's bytes or of its samples as 16 kHz mono s16le. */
  readonly clips: Readonly<Record<string, string>>
  /** Primary tags the engine claims to speak; `en` if absent. */
  readonly languages: readonly string[]
}

/** @throws Error that names the file and what is wrong with it. */
export async function loadScript(path: string): Promise<Script> {
  try {
    return parseScript(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new Error(`The script ${path} cannot be used: ${error instanceof Error ? error.message : 'unreadable'}`, {
      cause: error,
    })
  }
}

function parseScript(value: unknown): Script {
  if (!isRecord(value) || typeof value['default'] !== 'string') throw new Error('"default" must be a text.')
  const { clips = {}, languages = ['en'] } = value
  if (!isRecord(clips)) throw new Error('"clips" must map checksums to texts.')
  if (!Array.isArray(languages)) throw new Error('"languages" must be a list.')
  return {
    default: value['default'],
    clips: Object.fromEntries(Object.entries(clips).map(([hash, text]) => [hash.toLowerCase(), String(text)])),
    languages: languages.map(String),
  }
}

/** The text for a file, told by its bytes or by what it sounds like. */
export function textFor(script: Script, bytes: Uint8Array, samples: Float32Array): string {
  return script.clips[sha256(bytes)] ?? script.clips[sha256(toS16(samples))] ?? script.default
}

export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean)
}

// Sure, but not so sure that a client could not tell it from a missing number.
export const SCRIPTED_CONFIDENCE = 0.99

export function scriptedWord(word: string, startSeconds: number, endSeconds: number): SpokenWord {
  return { word, startSeconds, endSeconds, confidence: SCRIPTED_CONFIDENCE }
}

function toS16(samples: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(samples.length * 2))
  samples.forEach((sample, index) => {
    view.setInt16(index * 2, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), true)
  })
  return new Uint8Array(view.buffer)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
