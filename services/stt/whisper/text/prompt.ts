import type { ModelManifest } from '../../models/manifest.ts'

export interface PromptOptions {
  /** Primary tag. */
  readonly language: string
  readonly timestamps: boolean
}

/** The tokens before the text: only multilingual models are told a language and a task. */
export function promptFor(
  { multilingual, languages, tokens }: Pick<ModelManifest, 'multilingual' | 'languages' | 'tokens'>,
  { language, timestamps }: PromptOptions,
): number[] {
  const { startOfTranscript, transcribe, noTimestamps } = tokens
  const languageToken = languages[language]
  return [
    startOfTranscript,
    ...(multilingual && languageToken !== undefined ? [languageToken, transcribe] : []),
    ...(timestamps ? [] : [noTimestamps]),
  ]
}
