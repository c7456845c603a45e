/**
 * Word errors at the seams of long files: the clips of fixtures/audio one after the other, with pauses up to ten minutes
 * between them, and recordings of lengths around Whisper's window of 30 s. Not of time: nothing here depends on the machine.
 *
 *   npm run bench wer -- [--weights DIR] [--only NAME] [--live SECONDS] [--errors]
 *
 *     --weights  a faster-whisper folder of the bundled model (../shared/weights/whisper-tiny.en), imported in single
 *                precision for the column "fp32"; without it that column is left out
 *     --only     kinds of recordings whose name contains it; may be repeated
 *     --live     recordings of at most this length also live, in lockstep with the audio (35 s)
 *     --errors   which words
 *
 * "clips" is what the oracle beside the bundled model (faster-whisper, fp32) wrote for each clip alone: what a seam costs is the difference.
 * "file" is the bundled model through the way that files take: decoding, voice detection, pieces, two workers.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SAMPLE_RATE_HZ } from '../../services/stt/audio/format.ts'
import { createWhisperEngine } from '../../services/stt/engines/whisper.ts'
import { importModel } from '../../services/stt/models/import-model.ts'
import { toPcm } from '../../services/stt/live/testing.ts'
import { wavOf } from '../../services/stt/testing.ts'
import { startEars } from '../../services/stt/vad/threaded-ears.ts'
import type { Recogniser } from '../../services/stt/whisper/port.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { loadExpectations, MODEL_DIR } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { bundledClips } from '../walk/clips.ts'
import { percent } from '../walk/judge.ts'
import { hearingWith, runInLockstep } from '../walk/lockstep.ts'
import { rateOf, sumOf, type WordErrors, wordErrors } from '../wer.ts'
import { changesOf } from './wer/changes.ts'
import {
  type Concatenation,
  LENGTHS_SECONDS,
  ofLength,
  PAUSES_SECONDS,
  samplesOf,
  withoutBreath,
  withPauses,
} from './wer/material.ts'

/** How much worse than single precision files may be, as a part of the words. */
const TARGET = 0.002
/** The same for live against file. */
const LIVE_TARGET = 0.015

const { values } = parseArgs({
  options: {
    weights: { type: 'string', default: '../shared/weights/whisper-tiny.en' },
    only: { type: 'string', multiple: true, default: [''] },
    live: { type: 'string', default: '35' },
    errors: { type: 'boolean', default: false },
  },
})

type Way = 'clips' | 'fp32' | 'file' | 'live'
const WAYS: readonly Way[] = ['clips', 'fp32', 'file', 'live']
/** By file, of what was also heard live. */
const besideLive: WordErrors[] = []

const options = { clock: systemClock, log: silentLog }
const clips = await bundledClips()
const oracle = await loadExpectations()
const texts = new Map(Object.entries(oracle.clips).map(([file, { text }]) => [file.replace(/^.*\//, ''), text]))
const ears = await startEars({ vadModelFile: `${MODEL_DIR}/../silero-vad/model.onnx`, ...options })
const recogniser = await startRecogniser({ modelDir: MODEL_DIR, workers: 2, threadsPerWorker: 1, ...options })
const temporary = await mkdtemp(join(tmpdir(), 'aldea-bench-wer-'))
const exact = await startExact()
try {
  await measureAll()
} finally {
  await Promise.all([recogniser.stop(), exact?.stop(), ears.stop()])
  await rm(temporary, { recursive: true, force: true })
}

async function startExact(): Promise<Recogniser | undefined> {
  if (!existsSync(join(values.weights, 'model.bin'))) {
    console.log(`No weights in ${values.weights}: the column fp32 is left out.`)
    return undefined
  }
  const modelDir = join(temporary, 'fp32')
  await importModel({ from: values.weights, to: modelDir, precision: 'fp32' })
  return startRecogniser({ modelDir, workers: 2, threadsPerWorker: 1, ...options })
}

async function measureAll(): Promise<void> {
  const all = [
    ...clips.map((clip) => ({ kind: 'each clip alone', samples: () => samplesOf(clip), clips: [clip] })),
    ...withoutBreath(clips),
    ...PAUSES_SECONDS.flatMap((pause) => withPauses(clips, pause)),
    ...LENGTHS_SECONDS.flatMap((length) => ofLength(clips, length)),
  ].filter((each) => values.only.some((part) => each.kind.includes(part)))
  const sums = new Map<Way, WordErrors[]>(WAYS.map((way) => [way, []]))
  console.log(WAYS.map((way) => way.padEnd(8)).join(''))
  for (const kind of new Set(all.map((each) => each.kind))) {
    const found = new Map<Way, WordErrors[]>(WAYS.map((way) => [way, []]))
    const changes: string[] = []
    for (const each of all.filter((one) => one.kind === kind)) {
      const said = each.clips.map(({ words }) => words ?? '').join(' ')
      const heardBy = await heard(each)
      if (heardBy.live !== undefined) besideLive.push(wordErrors(said, heardBy.file ?? ''))
      for (const [way, text] of Object.entries(heardBy) as [Way, string][]) {
        found.get(way)?.push(wordErrors(said, text))
        changes.push(...changesOf(said, text).map((change) => `${way}: ${change}`))
      }
    }
    for (const [way, errors] of found) sums.get(way)?.push(...errors)
    print(kind, found)
    if (values.errors) for (const change of tally(changes)) console.log(`          ${change}`)
  }
  print('all', sums)
  judge(sums)
}

/** What each way makes of a recording; a way that does not go it is absent. */
async function heard({ samples: make, clips: spoken }: Concatenation): Promise<Partial<Record<Way, string>>> {
  const samples = make()
  const isShort = samples.length <= Number(values.live) * SAMPLE_RATE_HZ
  return {
    clips: spoken.map(({ name }) => texts.get(name) ?? '').join(' '),
    ...(exact && { fp32: await byFile(exact, samples) }),
    file: await byFile(recogniser, samples),
    ...(isShort && { live: await live(samples) }),
  }
}

async function byFile(by: Recogniser, samples: Float32Array): Promise<string> {
  const engine = createWhisperEngine({
    recogniser: by,
    ears,
    maxAudioSeconds: Number.POSITIVE_INFINITY,
    parallel: 2,
    release: async () => undefined,
  })
  return (await engine.transcribe({ bytes: wavOf(toPcm(samples)) }, { language: 'en' })).text
}

async function live(samples: Float32Array): Promise<string> {
  const { results } = await runInLockstep(samples, ears, hearingWith(recogniser))
  return results.flatMap(({ result }) => (result.isFinal ? [result.text] : [])).join(' ')
}

function print(kind: string, found: ReadonlyMap<Way, readonly WordErrors[]>): void {
  const columns = WAYS.map((way) => percent(sumOf(found.get(way) ?? [])).padEnd(8))
  console.log(`${columns.join('')}${kind}, ${sumOf(found.get('clips') ?? []).words} words`)
}

function judge(sums: ReadonlyMap<Way, readonly WordErrors[]>): void {
  const rate = (way: Way): number => rateOf(sumOf(sums.get(way) ?? []))
  for (const reference of ['clips', ...(exact ? ['fp32' as const] : [])] as const) {
    const more = rate('file') - rate(reference)
    console.log(
      `file against ${reference}: ${points(more)}${more <= TARGET ? '' : ', ABOVE'} (target ${points(TARGET)})`,
    )
  }
  if (besideLive.length === 0) return
  const more = rate('live') - rateOf(sumOf(besideLive))
  const verdict = more <= LIVE_TARGET ? '' : ', ABOVE'
  console.log(`live against file, same recordings: ${points(more)}${verdict} (target ${points(LIVE_TARGET)})`)
}

function points(rate: number): string {
  return `${(100 * rate).toFixed(2)} points`
}

function tally(changes: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const change of changes) counts.set(change, (counts.get(change) ?? 0) + 1)
  return Array.from(counts, ([change, count]) => (count === 1 ? change : `${change} (${count} ×)`))
}
