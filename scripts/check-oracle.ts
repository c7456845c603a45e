/**
 * Compares the converted Whisper with what faster-whisper says about the same recordings.
 *
 *   npx tsx scripts/check-oracle.ts [weights folder] [audio folder]
 *
 * The weights folder (default ../shared/weights/whisper-tiny.en) is a faster-whisper folder with an `oracle.json` beside
 * it, whose clips are in the audio folder (default ../shared/audio). Converts the weights to single precision and to
 * int8 in a temporary folder, prints one line for each requirement, and exits with 1 when one is not met.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importModel } from '../services/stt/models/import-model.ts'
import { loadWhisper } from '../services/stt/whisper/whisper-model.ts'
import { checkProbes } from './oracle/check-probes.ts'
import { loadOracle } from './oracle/oracle.ts'
import { compareClip, type ClipComparison } from './oracle/compare-clip.ts'
import type { Requirement } from './oracle/requirement.ts'

/** At least this part of the words must begin and end where the oracle says. */
const MIN_WORDS_IN_PLACE = 0.9

const [weightsDir = '../shared/weights/whisper-tiny.en', audioDir = '../shared/audio'] = process.argv.slice(2)
const temporary = await mkdtemp(join(tmpdir(), 'aldea-oracle-'))
try {
  const requirements = await check()
  for (const { what, isMet, found } of requirements) console.log(`${isMet ? 'ok    ' : 'FAILED'}  ${what}: ${found}`)
  process.exitCode = requirements.every(({ isMet }) => isMet) ? 0 : 1
} finally {
  await rm(temporary, { recursive: true, force: true })
}

async function check(): Promise<Requirement[]> {
  const oracle = await loadOracle(weightsDir, audioDir)
  const requirements: Requirement[] = []
  for (const precision of ['fp32', 'int8'] as const) {
    const folder = join(temporary, precision)
    await importModel({ from: weightsDir, to: folder, precision })
    const model = await loadWhisper(folder, 2)
    const clips: ClipComparison[] = []
    for (const clip of oracle.clips) clips.push(await compareClip(model, clip))
    printClips(precision, clips)
    if (precision === 'fp32') {
      requirements.push(...(await checkProbes(model, oracle)), tokensEqual(clips))
    } else {
      requirements.push(textsWithinOneWord(clips))
    }
    requirements.push(wordsInPlace(precision, clips))
  }
  return requirements
}

function printClips(precision: string, clips: readonly ClipComparison[]): void {
  console.log(`\n${precision}  tokens  words wrong  words within 0.1 s  clip`)
  for (const { file, tokensEqual: isEqual, wrongWords, placedWords, comparedWords } of clips) {
    const placed = `${placedWords} of ${comparedWords}`
    console.log(
      `      ${isEqual ? 'equal ' : 'differ'}  ${String(wrongWords).padEnd(11)}  ${placed.padEnd(18)}  ${file}`,
    )
  }
  console.log('')
}

function tokensEqual(clips: readonly ClipComparison[]): Requirement {
  const equal = clips.filter((clip) => clip.tokensEqual).length
  return { what: 'fp32 tokens equal', isMet: equal === clips.length, found: `${equal} of ${clips.length} clips` }
}

function textsWithinOneWord(clips: readonly ClipComparison[]): Requirement {
  const worst = Math.max(...clips.map(({ wrongWords }) => wrongWords))
  return { what: 'int8 text within one word a clip', isMet: worst <= 1, found: `at most ${worst} wrong` }
}

function wordsInPlace(precision: string, clips: readonly ClipComparison[]): Requirement {
  const placed = clips.reduce((sum, { placedWords }) => sum + placedWords, 0)
  const compared = clips.reduce((sum, { comparedWords }) => sum + comparedWords, 0)
  return {
    what: `${precision} word times within 0.1 s for nine words of ten`,
    isMet: placed >= MIN_WORDS_IN_PLACE * compared,
    found: `${placed} of ${compared}`,
  }
}
