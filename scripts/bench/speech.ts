/**
 * How fast files are recognised, beside other recognisers on the same weights, files and number of threads: the built
 * speech server asked over HTTP, and peers in processes of their own that stay, so that loading counts for nobody.
 * Rounds alternate between all of them; the median counts, and the fastest shows what the machine can do when quiet.
 *
 *   npm run build && npm run bench speech -- [options] [more.wav …]
 *     --rounds 5       rounds after one to warm up
 *     --threads 2      for each of them
 *     --weights DIR    a faster-whisper folder of the bundled model, ../shared/weights/whisper-tiny.en
 *     --cache DIR      where peers are installed, the user's cache folder by default
 *     --install        fetch the peers that are not installed; without it nothing is fetched
 *     --only NAME      peers whose name contains it; may be repeated
 *
 * Always jfk.wav and a minute of all clips; further WAV files (16 kHz, mono, 16 bit) count words that are in a .txt
 * beside them. Peers are asked for less than is asked of ours: words without their times.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { hashFiles } from '../../services/stt/models/hash-files.ts'
import { median } from '../median.ts'
import { errorsOf, percent } from '../walk/judge.ts'
import { startAldea } from './speech/aldea.ts'
import { startFasterWhisper } from './speech/faster-whisper.ts'
import { type Absent, type Peer, type PeerOptions, usageOf } from './speech/peer.ts'
import { type Recording, recordings } from './speech/recordings.ts'
import { startTransformers } from './speech/transformers.ts'
import { hasWeights } from './speech/weights.ts'
import { startWhisperCpp } from './speech/whisper-cpp.ts'

/** Compute time ÷ audio time. */
const TARGET_RTF = 0.01

/** How many times as fast ours has to be. */
const TARGET_RATIOS = { transformers: 5, faster: 2, whisper: 2 } as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    weights: { type: 'string', default: '../shared/weights/whisper-tiny.en' },
    cache: { type: 'string', default: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'aldea-local') },
    install: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [''] },
  },
})
const rounds = Number(values.rounds)
const threads = Number(values.threads)
const temporary = await mkdtemp(join(tmpdir(), 'aldea-bench-speech-'))
const peers: Peer[] = []
try {
  await startAll()
  await measure(await recordings(positionals))
} finally {
  for (const peer of peers) await peer.stop()
  await rm(temporary, { recursive: true, force: true })
}

async function startAll(): Promise<void> {
  peers.push(await startAldea('aldea', { WORKERS: String(threads), THREADS: '1' }))
  const weightsDir = resolve(values.weights)
  if (!hasWeights(weightsDir)) {
    console.log(`skipped  all peers: no weights in ${weightsDir}, see --weights`)
    return
  }
  const cacheDir = join(resolve(values.cache), 'speech-peers')
  const sha256 = await hashFiles([join(weightsDir, 'model.bin')])
  const convertedDir = join(cacheDir, `weights-${sha256.slice(0, 8)}`)
  const options: PeerOptions = { weightsDir, cacheDir, convertedDir, mayInstall: values.install, threads }
  const starts: Readonly<Record<string, () => Promise<Peer | Absent>>> = {
    'transformers.js q8': () => startTransformers('q8', options),
    'transformers.js fp32': () => startTransformers('fp32', options),
    'faster-whisper int8': () => startFasterWhisper('int8', options),
    'whisper.cpp q8_0': () => startWhisperCpp('q8_0', options),
    'whisper.cpp f16': () => startWhisperCpp('f16', options),
  }
  for (const [name, start] of Object.entries(starts)) {
    if (!values.only.some((part) => name.includes(part))) continue
    const peer = await start()
    if ('reason' in peer) console.log(`skipped  ${peer.name}: ${peer.reason}`)
    else peers.push(peer)
  }
}

interface Runs {
  readonly peer: Peer
  readonly recording: Recording
  readonly path: string
  readonly wallSeconds: number[]
  cpuSeconds: number
  text: string
}

async function measure(files: readonly Recording[]): Promise<void> {
  const runs: Runs[] = []
  for (const [index, recording] of files.entries()) {
    const path = join(temporary, `${index}.wav`)
    await writeFile(path, recording.clip.bytes)
    for (const peer of peers) runs.push({ peer, recording, path, wallSeconds: [], cpuSeconds: 0, text: '' })
  }
  for (const { name, version } of peers) console.log(`${name.padEnd(20)}  ${version}`)
  for (let round = 0; round <= rounds; round += 1) {
    for (const run of runs) {
      const before = await usageOf(run.peer.pid)
      const started = performance.now()
      run.text = await run.peer.transcribe(run.path)
      const wallSeconds = (performance.now() - started) / 1000
      const { cpuSeconds } = await usageOf(run.peer.pid)
      if (round === 0) continue
      run.wallSeconds.push(wallSeconds)
      run.cpuSeconds += cpuSeconds - before.cpuSeconds
    }
  }
  for (const recording of files) await report(recording, runs)
}

async function report(recording: Recording, all: readonly Runs[]): Promise<void> {
  const { clip, seconds } = recording
  const runs = all.filter((run) => run.recording === recording)
  const [ours] = runs
  console.log(
    `\n${clip.name}, ${seconds.toFixed(1)} s; ${threads} threads, ${rounds} rounds; RTF and CPU by second of audio`,
  )
  console.log('                      RTF     fastest  CPU     WER      memory   aldea is')
  for (const { peer, wallSeconds, cpuSeconds, text } of runs) {
    const rtf = median(wallSeconds) / seconds
    const { rssBytes } = await usageOf(peer.pid)
    const columns = [
      peer.name.padEnd(22),
      rtf.toFixed(4).padEnd(8),
      (Math.min(...wallSeconds) / seconds).toFixed(4).padEnd(9),
      (cpuSeconds / rounds / seconds).toFixed(4).padEnd(8),
      percent(errorsOf(clip, text)).padEnd(9),
      `${(rssBytes / 1e6).toFixed(0)} MB`.padEnd(9),
      peer === ours?.peer ? verdict(rtf) : comparison(peer.name, { wallSeconds, ours: ours?.wallSeconds ?? [] }),
    ]
    console.log(columns.join(''))
  }
}

function verdict(rtf: number): string {
  return rtf <= TARGET_RTF ? `within ${TARGET_RTF}` : `ABOVE ${TARGET_RTF}`
}

/** The median of the ratios of neighbours: what slows a machine down slows both. */
function comparison(
  name: string,
  { wallSeconds, ours }: { readonly wallSeconds: readonly number[]; readonly ours: readonly number[] },
): string {
  const ratio = median(wallSeconds.map((wall, round) => wall / (ours[round] ?? Number.NaN)))
  const target = Object.entries(TARGET_RATIOS).find(([start]) => name.startsWith(start))?.[1] ?? 1
  return `${ratio.toFixed(1)} × as fast${ratio >= target ? '' : `, BELOW ${target} ×`}`
}
