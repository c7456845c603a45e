import { readFile } from 'node:fs/promises'
import { createEncoder, type Encode } from './byte-pairs.ts'

/** Turns text tokens into bytes. A token may end in the middle of a character. */
export interface Tokenizer {
  bytes(token: number): Buffer
  /** Text tokens only; broken characters become U+FFFD. */
  decode(tokens: readonly number[]): string
  /** Text tokens, as the model would write them. */
  readonly encode: Encode
}

/** Reads the vocabulary an import wrote: a JSON list of tokens, each character one byte. */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const texts = JSON.parse(await readFile(path, 'utf8')) as readonly string[]
  const bytes = (token: number): Buffer => Buffer.from(texts[token] ?? '', 'latin1')
  let encoder: Encode | undefined
  return {
    bytes,
    // Its table is large, and most speech has no terms to look for.
    encode: (text) => (encoder ??= createEncoder(texts))(text),
    decode: (tokens) => Buffer.concat(tokens.map(bytes)).toString('utf8'),
  }
}
