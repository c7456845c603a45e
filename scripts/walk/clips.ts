import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'

const AUDIO = new URL('../../fixtures/audio/', import.meta.url)

/** A WAV file to be recognised. */
export interface Clip {
  readonly name: string
  readonly bytes: Uint8Array
  /** What is said in it; undefined when nobody wrote it down. */
  readonly words: string | undefined
}

/** The clips of `fixtures/audio/clips.json`. */
export async function bundledClips(): Promise<Clip[]> {
  const list: unknown = JSON.parse(await readFile(new URL('clips.json', AUDIO), 'utf8'))
  if (!Array.isArray(list)) throw new Error('clips.json is not a list.')
  return Promise.all(
    list.map(async ({ file, words }: { file: string; words: string }) => ({
      name: basename(file),
      bytes: await readFile(new URL(file, AUDIO)),
      words,
    })),
  )
}

/** Any WAV file; its words are read from a `.txt` beside it, if there is one. */
export async function clipFrom(path: string): Promise<Clip> {
  const words = await readFile(path.replace(/\.[^.]*$/, '.txt'), 'utf8').catch(() => undefined)
  return { name: basename(path), bytes: await readFile(path), words }
}
