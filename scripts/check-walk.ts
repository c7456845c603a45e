/**
 * Sends recordings with known words through a system, by file and live (in real time), and judges the words.
 *
 *   npm run check:walk [-- more.wav …]                                            the whole system, started for it
 *   npm run check:walk -- --url http://127.0.0.1:8080 --key org_… [more.wav …]    one that runs
 *   npm run check:walk -- --server [--url http://127.0.0.1:8000] [more.wav …]     a speech server, started if no URL
 *   npm run check:walk -- --noise […]   60 s each of silence, noise, tones and music instead: nobody speaks, no word may come
 *
 * Always the clips of fixtures/audio; further WAV files count when their words are in a .txt beside them. Exits with 1
 * when over all clips more than 10 % of the words are wrong in either mode, or when jfk.wav live has fewer than four
 * different interims, its first one after 3 s of audio, or other final words than by file.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { systemClock } from '../services/wire/clock.ts'
import { systemIds } from '../services/wire/ids.ts'
import { silentLog } from '../services/wire/log.ts'
import { createShared } from '../services/wire/shared.ts'
import { mapInParallel } from '../services/stt/engines/in-parallel.ts'
import { NOISES, toPcm } from '../services/stt/live/testing.ts'
import { start } from '../services/stt/service.ts'
import { wavOf } from '../services/stt/testing.ts'
import { bundledClips, clipFrom } from './walk/clips.ts'
import { publicApi, speechServer } from './walk/dialect.ts'
import type { Dialect } from './walk/dialect.ts'
import { errorsOf, judge, percent } from './walk/judge.ts'
import type { Walked } from './walk/judge.ts'
import { listen } from './walk/listen.ts'
import { startSystem } from './walk/system.ts'

/** Live clips at once: more than one, as in life, and few enough for two cores. */
const LIVE_AT_ONCE = 3
const NOISE_SECONDS = 60

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    key: { type: 'string' },
    server: { type: 'boolean', default: false },
    noise: { type: 'boolean', default: false },
  },
})
const target = await openTarget()
try {
  if (values.noise) await walkNoises(target.dialect)
  else await walkClips(target.dialect)
} finally {
  await target.close()
}

async function walkClips(dialect: Dialect): Promise<void> {
  const clips = [...(await bundledClips()), ...(await Promise.all(positionals.map(clipFrom)))]
  const fileTexts: string[] = []
  for (const { bytes } of clips) fileTexts.push(await dialect.transcribe(bytes))
  const answers = await mapInParallel(clips, LIVE_AT_ONCE, ({ bytes }) => listen(dialect, bytes))
  const walked = clips.flatMap((clip, index): Walked[] => {
    const live = answers[index]
    return live ? [{ clip, fileText: fileTexts[index] ?? '', live }] : []
  })
  print(walked)
}

async function walkNoises(dialect: Dialect): Promise<void> {
  const noises = Object.entries(NOISES).map(([name, make]) => ({ name, bytes: wavOf(toPcm(make(NOISE_SECONDS))) }))
  await Promise.all(
    noises.map(async ({ name, bytes }) => {
      const [byFile, live] = await Promise.all([dialect.transcribe(bytes), listen(dialect, bytes)])
      const isQuiet = byFile === '' && live.text === '' && live.differentInterims === 0
      console.log(`${isQuiet ? 'quiet   ' : 'FAILED  '} ${name}  file "${byFile}"  live "${live.text}"`)
      if (!isQuiet) process.exitCode = 1
    }),
  )
}

interface Target {
  readonly dialect: Dialect
  close(): Promise<void>
}

async function openTarget(): Promise<Target> {
  const { url, key, server } = values
  const close = async (): Promise<void> => undefined
  if (server && url) return { dialect: speechServer(url), close }
  if (server) return startSpeechServer()
  if (url && key) return { dialect: publicApi(url, key), close }
  if (url || key) throw new Error('--url and --key belong together.')
  const system = await startSystem()
  return { dialect: publicApi(system.url, system.key), close: () => system.stop() }
}

async function startSpeechServer(): Promise<Target> {
  const runtime = { clock: systemClock, log: silentLog, ids: systemIds, shared: createShared() }
  const running = await start({}, runtime)
  running.server?.listen(0, '127.0.0.1')
  if (running.server) await once(running.server, 'listening')
  const address = running.server?.address()
  if (!address || typeof address === 'string') throw new Error('The speech server has no port.')
  return { dialect: speechServer(`http://127.0.0.1:${address.port}`), close: () => running.stop() }
}

function print(walked: readonly Walked[]): void {
  console.log('by file   live      interims   first after   clip')
  for (const { clip, fileText, live } of walked) {
    const first = live.firstInterimSeconds === undefined ? '–' : `${live.firstInterimSeconds.toFixed(1)} s`
    const columns = [
      percent(errorsOf(clip, fileText)).padEnd(10),
      percent(errorsOf(clip, live.text)).padEnd(10),
      String(live.differentInterims).padEnd(11),
      first.padEnd(14),
      clip.name,
    ]
    console.log(columns.join(''))
    console.log(`  file  ${fileText}`)
    console.log(`  live  ${live.text}`)
  }
  const { file, live, faults } = judge(walked)
  console.log(`\noverall  by file ${percent(file)}  live ${percent(live)}  of ${file.words} words`)
  for (const fault of faults) console.log(`FAILED   ${fault}`)
  if (faults.length > 0) process.exitCode = 1
}
