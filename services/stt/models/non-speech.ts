import type { Vocabulary } from './vocabulary.ts'

/** What subtitles have and nobody says, after OpenAI's `tokenizer.non_speech_tokens`. */
const SYMBOLS = [
  ...'" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』'.split(' '),
  ...'<< >> <<< >>> -- --- -( -[ (\' (" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪'.split(' '),
]

/** Suppressed by their first token where they have none of their own. */
const MUSIC = '♩ ♪ ♫ ♬ ♭ ♮ ♯'.split(' ')

/** Hyphens and apostrophes are fine within words, not before them. */
const BEFORE_WORDS = [' -', " '"]

/** Tokens that are never chosen where a model's files do not say which. */
export function nonSpeechTokens({ texts, tokens }: Vocabulary): number[] {
  const ids = new Map(texts.map((text, id) => [text, id]))
  const whole = (text: string): number[] => {
    const id = ids.get(asBytes(text))
    return id === undefined ? [] : [id]
  }
  const first = (text: string): number[] => {
    const bytes = asBytes(text)
    const lengths = Array.from(bytes, (_, index) => bytes.length - index)
    const id = lengths.map((length) => ids.get(bytes.slice(0, length))).find((found) => found !== undefined)
    return id === undefined ? [] : [id]
  }
  const chosen = [
    ...BEFORE_WORDS.flatMap(first),
    ...SYMBOLS.flatMap((symbol) => [symbol, ` ${symbol}`]).flatMap(whole),
    ...MUSIC.flatMap((symbol) => [symbol, ` ${symbol}`]).flatMap(first),
  ]
  return [...new Set([...chosen, ...controlTokens(tokens)])].toSorted((one, other) => one - other)
}

/** From translation on to the one for silence; the model is told these and never says them. */
function controlTokens({ startOfTranscript, transcribe, noSpeech }: Vocabulary['tokens']): number[] {
  // Whisper's order: translate, transcribe, language model, previous text, silence.
  const control = Array.from({ length: noSpeech - transcribe + 2 }, (_, index) => transcribe - 1 + index)
  return [startOfTranscript, ...control]
}

/** UTF-8 with one character a byte, as vocabularies are kept here. */
function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}
