/**
 * Checks a multilingual Whisper, which the package does not bring, on the recordings of fixtures/audio.
 *
 *   npx tsx scripts/check-multilingual.ts <folder written by "models import">
 *
 * All of them are English: the model has to say so by itself, to write English when it is asked to and not when it is
 * asked for Spanish, and to time words in speech. Prints one line for each requirement, and exits with 1 when one is not
 * met.
 */
import { readFile } from 'node:fs/promises'
import type { Requirement } from './oracle/requirement.ts'
import { rateOf, sumOf, wordErrors, type WordErrors } from './wer.ts'
import type { Recognition } from '../services/stt/whisper/port.ts'
import { recogniseWindow } from '../services/stt/whisper/recognise-window.ts'
import { readClip } from '../services/stt/whisper/testing.ts'
import { loadWhisper, type WhisperModel } from '../services/stt/whisper/whisper-model.ts'

const MAX_WORD_ERROR_RATE = 0.05
const MIN_CONFIDENCE = 0.5

interface Clip {
  readonly file: string
  readonly seconds: number
  readonly words: string
}

interface Heard {
  readonly clip: Clip
  readonly detected: Recognition
  readonly english: Recognition
  readonly spanish: Recognition
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: npx tsx scripts/check-multilingual.ts <model folder>')
const requirements = check(await hear(await loadWhisper(folder, 2)))
for (const { what, isMet, found } of requirements) console.log(`${isMet ? 'ok    ' : 'FAILED'}  ${what}: ${found}`)
process.exitCode = requirements.every(({ isMet }) => isMet) ? 0 : 1

async function hear(model: WhisperModel): Promise<Heard[]> {
  const clips = JSON.parse(await readFile(new URL('../fixtures/audio/clips.json', import.meta.url), 'utf8')) as Clip[]
  const heard: Heard[] = []
  for (const clip of clips) {
    const samples = await readClip(clip.file)
    const inLanguage = (language: string | undefined): Promise<Recognition> => {
      const request = { priority: 'file', language, padding: 'full', timestamps: true } as const
      return recogniseWindow(model, samples, request, () => undefined)
    }
    const [detected, english, spanish] = [await inLanguage(undefined), await inLanguage('en'), await inLanguage('es')]
    heard.push({ clip, detected, english, spanish })
  }
  return heard
}

function check(heard: readonly Heard[]): Requirement[] {
  const errorsOf = (way: 'english' | 'spanish'): WordErrors =>
    sumOf(heard.map((each) => wordErrors(each.clip.words, each[way].text)))
  const [english, spanish] = [rateOf(errorsOf('english')), rateOf(errorsOf('spanish'))]
  const found = heard.map(({ detected }) => detected.detectedLanguage)
  const least = Math.min(...found.map((each) => (each?.language === 'en' ? each.confidence : 0)))
  const isSame = heard.every(({ detected, english: asked }) => detected.text === asked.text)
  const misplaced = heard.flatMap(({ clip, english: { words } }) =>
    words.filter((word, index) => {
      const previousEnd = words[index - 1]?.endSeconds ?? 0
      return word.startSeconds < previousEnd || word.endSeconds <= word.startSeconds || word.endSeconds > clip.seconds
    }),
  )
  return [
    { what: 'English is right', isMet: english <= MAX_WORD_ERROR_RATE, found: percent(english) },
    { what: 'English is detected', isMet: least >= MIN_CONFIDENCE, found: `confidence at least ${least.toFixed(3)}` },
    { what: 'what is detected is what is recognised', isMet: isSame, found: String(isSame) },
    { what: 'asked for Spanish it writes no English', isMet: spanish > 0.5, found: percent(spanish) },
    {
      what: 'words follow each other inside the clip',
      isMet: misplaced.length === 0,
      found: `${misplaced.length} do not`,
    },
  ]
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} % of the words are others`
}
