import type { DeclaredEncoding } from '../audio/live-input.ts'
import { SpeechError } from '../errors.ts'

const ENCODINGS: Readonly<Record<string, DeclaredEncoding>> = {
  pcm: 's16',
  linear16: 's16',
  s16le: 's16',
  mulaw: 'mulaw',
  ulaw: 'mulaw',
  alaw: 'alaw',
  wav: 'wav',
}

/** @throws {@link SpeechError} 415 for an encoding this server cannot decode. */
export function declaredEncoding(name: string | undefined): DeclaredEncoding {
  if (!name) return 'unknown'
  const encoding = ENCODINGS[name.toLowerCase()]
  if (encoding) return encoding
  throw new SpeechError(415, `The encoding "${name}" is not supported; use linear16, mulaw, alaw or wav.`)
}
