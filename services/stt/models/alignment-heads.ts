import type { AlignmentHead, WhisperDimensions } from './manifest.ts'

type Pairs = readonly (readonly [layer: number, head: number])[]

/** First vocabulary size with languages; English-only models have one token less. */
export const MULTILINGUAL_VOCABULARY = 51_865

/** As OpenAI measured them for its models, by decoder layers, width and vocabulary. Large v1 and v2 look the same. */
const MEASURED: Readonly<Record<string, Pairs>> = {
  '4 384 51864': pairs('1:0 2:0 2:5 3:0 3:1 3:2 3:3 3:4'),
  '4 384 51865': pairs('2:2 3:0 3:2 3:3 3:4 3:5'),
  '6 512 51864': pairs('3:3 4:7 5:1 5:5 5:7'),
  '6 512 51865': pairs('3:1 4:2 4:3 4:7 5:1 5:2 5:4 5:6'),
  '12 768 51864': pairs('6:6 7:0 7:3 7:8 8:2 8:5 8:7 9:0 9:4 9:8 9:10 10:0 10:1 10:2 10:3 10:6 10:11 11:2 11:4'),
  '12 768 51865': pairs('5:3 5:9 8:0 8:4 8:7 8:8 9:0 9:7 9:9 10:5'),
  '24 1024 51864': pairs(
    '11:4 14:1 14:12 14:14 15:4 16:0 16:4 16:9 17:12 17:14 18:7 18:10 18:15 20:0 20:3 20:9 20:14 21:12',
  ),
  '24 1024 51865': pairs('13:15 15:4 15:15 16:1 20:0 23:4'),
  '32 1280 51866': pairs('7:0 10:17 12:18 13:12 16:1 17:14 19:11 21:4 24:1 25:6'),
  '4 1280 51866': pairs('2:4 2:11 3:3 3:6 3:11 3:14'),
}

/** For a model whose files do not say which heads follow the audio. */
export function knownAlignmentHeads(dimensions: WhisperDimensions): AlignmentHead[] {
  const { decoderLayers, state, vocabulary } = dimensions
  const measured = MEASURED[`${decoderLayers} ${state} ${vocabulary}`]
  return measured === undefined ? headsOfUpperHalf(dimensions) : measured.map(([layer, head]) => ({ layer, head }))
}

/** Whisper's own choice for a model whose heads were never measured. */
function headsOfUpperHalf({ decoderLayers, heads }: WhisperDimensions): AlignmentHead[] {
  const first = Math.floor(decoderLayers / 2)
  return Array.from({ length: (decoderLayers - first) * heads }, (_, index) => ({
    layer: first + Math.floor(index / heads),
    head: index % heads,
  }))
}

function pairs(text: string): Pairs {
  return text.split(' ').map((pair) => {
    const [layer = '', head = ''] = pair.split(':')
    return [Number(layer), Number(head)]
  })
}
