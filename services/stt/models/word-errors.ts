import type { ModelManifest } from './manifest.ts'

/** A published model, told from others of its size by its name. */
interface Published {
  readonly name: string
  readonly state: number
  readonly percent: number
}

/**
 * Word error rates on LibriSpeech test-clean as OpenAI published them ("Robust Speech Recognition via Large-Scale Weak
 * Supervision", greedy decoding). A hint for choosing a size: quantised models and other recordings differ.
 */
const PUBLISHED: readonly Published[] = [
  { name: 'tiny.en', state: 384, percent: 5.6 },
  { name: 'base.en', state: 512, percent: 4.2 },
  { name: 'small.en', state: 768, percent: 3.1 },
]

/** In percent; undefined where nothing was published for a model of this name and size. */
export function publishedWordErrors({ name, dimensions }: ModelManifest): number | undefined {
  return PUBLISHED.find((each) => each.name === name && each.state === dimensions.state)?.percent
}
