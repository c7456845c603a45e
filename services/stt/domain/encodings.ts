import type { DeclaredEncoding } from '../audio/live-input.ts'
import { SpeechError } from '../errors.ts'

/** With the aliases that clients send (aldea-api §4.2). */
const ENCODINGS: Readonly<Record<string, DeclaredEncoding>> = {
  pcm: 's16',
  linear16: 's16',
  s16le: 's16',
  mulaw: 'mulaw',
  ulaw: 'mulaw',
  alaw: 'alaw',
  wav: 'wav',
  mp3: 'mp3',
  aac: 'aac',
  flac: 'flac',
  ogg: 'ogg',
  'ogg-opus': 'ogg',
  opus: 'opus',
  webm: 'webm',
  m4a: 'mp4',
  mp4: 'mp4',
}

/** @throws {@link SpeechError} 415 for an encoding this server cannot decode. */
export function declaredEncoding(name: string | undefined): DeclaredEncoding {
  if (!name) return 'unknown'
  const encoding = ENCODINGS[name.toLowerCase()]
  if (encoding) return encoding
  const names = 'linear16, mulaw, alaw, wav, mp3, aac, flac, ogg, opus, webm or m4a'
  throw new SpeechError(415, `The encoding "${name}" is not supported; use ${names}.`)
}
