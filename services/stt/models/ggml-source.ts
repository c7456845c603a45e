import { basename } from 'node:path'
import { decodingConfig } from './decoding-config.ts'
import { ModelError } from './errors.ts'
import { openGgml, type GgmlModel } from './ggml-reader.ts'
import { LANGUAGES } from './languages.ts'
import { renamed, type Naming } from './naming.ts'
import type { WhisperSource } from './source.ts'
import type { Vocabulary } from './vocabulary.ts'

/** OpenAI's names. */
const NAMING: Naming = {
  single: {
    'encoder/conv1': 'encoder.conv1',
    'encoder/conv2': 'encoder.conv2',
    'encoder/position_encodings': 'encoder.positional_embedding',
    'encoder/layer_norm': 'encoder.ln_post',
    'decoder/embeddings': 'decoder.token_embedding',
    'decoder/position_encodings': 'decoder.positional_embedding',
    'decoder/layer_norm': 'decoder.ln',
  },
  layer: (half, index) => `${half}.blocks.${index}`,
  selfAttention: { norm: 'attn_ln', query: 'attn.query', key: 'attn.key', value: 'attn.value', out: 'attn.out' },
  crossAttention: {
    norm: 'cross_attn_ln',
    query: 'cross_attn.query',
    key: 'cross_attn.key',
    value: 'cross_attn.value',
    out: 'cross_attn.out',
  },
  feedForward: { norm: 'mlp_ln', wide: 'mlp.0', narrow: 'mlp.2' },
}

/** A file of whisper.cpp, which holds weights and vocabulary. */
export async function openGgmlSource(path: string): Promise<WhisperSource> {
  const model = await openGgml(path)
  return {
    format: `ggml ${model.precision}`,
    files: [path],
    name: basename(path, '.bin').replace(/^ggml-/, ''),
    weights: renamed(path, model, NAMING),
    loadVocabulary: async () => ggmlVocabulary(path, model),
    loadConfig: async (dimensions, vocabulary) =>
      decodingConfig([], { suppressed: '', suppressedFirst: '' }, { dimensions, vocabulary }),
    close: () => model.close(),
  }
}

const ENGLISH_VOCABULARY = 51_864
const ENGLISH_TEXTS = 50_256
/** 30 s in steps of 20 ms, and both ends. */
const TIMESTAMPS = 1501
/** Between the languages and the timestamps: translate, transcribe, language model, previous, silence, no times. */
const CONTROL_TOKENS = 6
/** Of the English-only models, which have the tokens without using them. */
const ENGLISH_LANGUAGES = 99

/** The file spells text tokens only; the places of all others follow from how many there are. */
function ggmlVocabulary(path: string, { vocabulary, texts }: GgmlModel): Vocabulary {
  const isEnglish = vocabulary === ENGLISH_VOCABULARY
  const endOfText = ENGLISH_TEXTS + (isEnglish ? 0 : 1)
  const startOfTranscript = endOfText + 1
  const firstTimestamp = vocabulary - TIMESTAMPS
  const firstControl = firstTimestamp - CONTROL_TOKENS
  const languages = firstControl - startOfTranscript - 1
  if (languages < ENGLISH_LANGUAGES || languages > LANGUAGES.length) {
    throw new ModelError(`${path} has a vocabulary of ${vocabulary} tokens, which no Whisper has.`)
  }
  if (texts.length < endOfText) {
    throw new ModelError(`${path} spells ${texts.length} of its ${endOfText} text tokens.`)
  }
  return {
    texts: texts.slice(0, endOfText),
    tokens: {
      endOfText,
      startOfTranscript,
      transcribe: firstControl + 1,
      startOfPrevious: firstControl + 3,
      noSpeech: firstControl + 4,
      noTimestamps: firstControl + 5,
      firstTimestamp,
    },
    languages: Object.fromEntries(
      LANGUAGES.slice(0, languages).map((language, index) => [language, startOfTranscript + 1 + index]),
    ),
  }
}
