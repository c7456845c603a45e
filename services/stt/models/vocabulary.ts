import { join } from 'node:path'
import { ModelError } from './errors.ts'
import { readText } from './json-file.ts'
import type { SpecialTokens } from './manifest.ts'

/** What a source folder says about its tokens. */
export interface Vocabulary {
  /** One string per text token, each character one byte. */
  readonly texts: readonly string[]
  readonly tokens: SpecialTokens
  readonly languages: Readonly<Record<string, number>>
}

/** `<|en|>`; three letters since `yue` and `haw`. */
const LANGUAGE_TOKEN = /^<\|([a-z]{2,3})\|>$/

type Parse = (text: string, added: string) => readonly string[]

const READERS: readonly (readonly [file: string, parse: Parse])[] = [
  ['vocabulary.json', parseList],
  ['vocabulary.txt', (text) => text.replace(/\n$/, '').split('\n')],
  ['tokenizer.json', parseTokenizer],
  ['vocab.json', parseVocab],
]

/** Beside `vocab.json`: what it does not number itself. */
const ADDED_TOKENS = 'added_tokens.json'

/** Twice what Whisper has. */
const MAX_TOKENS = 110_000

/**
 * Reads `vocabulary.json`, `vocabulary.txt`, `tokenizer.json` or `vocab.json` with `added_tokens.json`, whichever is
 * there first.
 * @throws {@link ModelError} when there is none or it lacks Whisper's special tokens.
 */
export async function loadVocabulary(folder: string): Promise<Vocabulary> {
  for (const [file, parse] of READERS) {
    const path = join(folder, file)
    const text = await readText(path)
    if (text === undefined) continue
    const added = file === 'vocab.json' ? ((await readText(join(folder, ADDED_TOKENS))) ?? '{}') : ''
    return toVocabulary(
      path,
      readTokens(path, () => parse(text, added)),
    )
  }
  throw new ModelError(`${folder} has none of ${READERS.map(([file]) => file).join(', ')}.`)
}

function readTokens(path: string, parse: () => readonly string[]): readonly string[] {
  try {
    return parse()
  } catch (error) {
    throw new ModelError(`${path} cannot be read as a vocabulary.`, { cause: error })
  }
}

function toVocabulary(path: string, names: readonly string[]): Vocabulary {
  const ids = new Map(names.map((name, id) => [name, id]))
  const find = (...choices: string[]): number => {
    const id = choices.map((name) => ids.get(name)).find((found) => found !== undefined)
    if (id === undefined) throw new ModelError(`${path} has no token ${choices.join(' or ')}: it is not Whisper's.`)
    return id
  }
  const noTimestamps = find('<|notimestamps|>')
  const tokens: SpecialTokens = {
    endOfText: find('<|endoftext|>'),
    startOfTranscript: find('<|startoftranscript|>'),
    transcribe: find('<|transcribe|>'),
    startOfPrevious: find('<|startofprev|>'),
    noSpeech: find('<|nospeech|>', '<|nocaptions|>'),
    noTimestamps,
    // Some vocabularies stop before the timestamps, whose place is fixed.
    firstTimestamp: noTimestamps + 1,
  }
  const languages: Record<string, number> = {}
  for (let id = tokens.startOfTranscript + 1; id < noTimestamps; id += 1) {
    const tag = LANGUAGE_TOKEN.exec(names[id] ?? '')?.[1]
    if (tag !== undefined) languages[tag] = id
  }
  return { texts: names.slice(0, tokens.endOfText).map((name) => toBytes(path, name)), tokens, languages }
}

function parseList(text: string): readonly string[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new TypeError('A list of strings was expected.')
  }
  return value
}

function parseTokenizer(text: string): readonly string[] {
  const value = JSON.parse(text) as {
    readonly model: { readonly vocab: Readonly<Record<string, number>> }
    readonly added_tokens: readonly { readonly id: number; readonly content: string }[]
  }
  return byId([
    ...Object.entries(value.model.vocab),
    ...value.added_tokens.map(({ id, content }) => [content, id] as const),
  ])
}

function parseVocab(text: string, added: string): readonly string[] {
  return byId([text, added].flatMap((each) => Object.entries(JSON.parse(each) as Readonly<Record<string, number>>)))
}

function byId(tokens: readonly (readonly [name: string, id: number])[]): readonly string[] {
  const names: string[] = []
  for (const [name, id] of tokens) {
    if (!Number.isInteger(id) || id < 0 || id >= MAX_TOKENS) throw new RangeError(`"${name}" has the id ${id}.`)
    names[id] = name
  }
  return Array.from(names, (name) => name ?? '')
}

const BYTE_OF_CHARACTER = byteAlphabet()

/** Undoes the byte-level alphabet: each character of a token stands for one byte. */
function toBytes(path: string, token: string): string {
  return Array.from(token, (character) => {
    const byte = BYTE_OF_CHARACTER.get(character)
    if (byte === undefined) throw new ModelError(`${path} is not a byte-level vocabulary: it has the token "${token}".`)
    return String.fromCodePoint(byte)
  }).join('')
}

/** GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others follow from U+0100 on, in order. */
function byteAlphabet(): ReadonlyMap<string, number> {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  const alphabet = new Map<string, number>()
  let next = 0x100
  for (let byte = 0; byte < 0x100; byte += 1) {
    alphabet.set(String.fromCodePoint(isPrintable(byte) ? byte : next), byte)
    if (!isPrintable(byte)) next += 1
  }
  return alphabet
}
