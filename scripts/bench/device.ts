/**
 * How fast each device recognises: the real-time factor (wall time ÷ audio time) of jfk.wav on the CPU, on CUDA and on
 * WebGPU, or why one of them cannot be used here. Rounds alternate between the devices; the median counts.
 *
 *   npm run bench device [model folder] [rounds] [seconds of the clip]
 *
 * int8 models, the bundled one too, keep their matrix products on the CPU whatever the device is: for a GPU write one
 * with `aldea-local models import FROM TO --precision fp32`, and name its folder here. CUDA needs the libraries of
 * onnxruntime's provider, which `ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install`
 * fetches, and of the system the CUDA 12 runtime and cuDNN 9.
 */
import { cpus } from 'node:os'
import { cannotBe } from '../../services/stt/devices/choose-device.ts'
import { DEVICES, type Device } from '../../services/wire/device.ts'
import { readFacts } from '../../services/stt/devices/facts.ts'
import { runTrial } from '../../services/stt/devices/run-trial.ts'
import { loadManifest } from '../../services/stt/models/manifest.ts'
import type { WindowOptions } from '../../services/stt/whisper/port.ts'
import { startRecogniser } from '../../services/stt/whisper/recogniser.ts'
import { MODEL_DIR, readClip } from '../../services/stt/whisper/testing.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { median } from '../median.ts'

const ROUNDS = 5
const SAMPLE_RATE_HZ = 16_000
const WINDOW: WindowOptions = { priority: 'file', language: 'en', padding: 'coarse', timestamps: true }

const [modelDir = MODEL_DIR, rounds = ROUNDS, longest = Infinity] = process.argv.slice(2)
const clip = (await readClip('jfk.wav')).subarray(0, Number(longest) * SAMPLE_RATE_HZ)
const seconds = clip.length / SAMPLE_RATE_HZ
const manifest = await loadManifest(modelDir)
const facts = readFacts()
console.log(
  `${manifest.name} ${manifest.precision}, ${seconds.toFixed(1)} s of jfk.wav, ${rounds} rounds after one to warm up; ` +
    `${cpus().length} cores, drivers: ${facts.driverNodes.join(' ') || 'none'}`,
)

const runs = []
for (const device of DEVICES) {
  const reason = await whyNot(device)
  if (reason !== undefined) {
    console.log(`${device.padEnd(6)}  not here: ${reason}`)
    continue
  }
  const started = performance.now()
  const common = { modelDir, workers: 1, threadsPerWorker: 1, clock: systemClock, log: silentLog }
  const recogniser = await startRecogniser({ ...common, device })
  runs.push({ device, recogniser, readyMs: performance.now() - started, tookMs: new Array<number>(), text: '' })
}
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const run of runs) {
    const started = performance.now()
    run.text = (await run.recogniser.recognise(clip, WINDOW)).text
    if (round > 0) run.tookMs.push(performance.now() - started)
  }
}
const [{ text: cpuText } = { text: '' }] = runs
for (const { device, readyMs, tookMs, text } of runs) {
  const figures = `RTF ${(median(tookMs) / 1000 / seconds).toFixed(4)}, fastest ${(Math.min(...tookMs) / 1000 / seconds).toFixed(4)}`
  const words = text === cpuText ? 'same words as the CPU' : `other words: ${text}`
  console.log(`${device.padEnd(6)}  ready ${readyMs.toFixed(0)} ms  ${figures}  ${words}`)
}
for (const { recogniser } of runs) await recogniser.stop()

async function whyNot(device: Device): Promise<string | undefined> {
  if (device === 'cpu') return undefined
  const missing = cannotBe(device, facts)
  if (missing !== undefined) return missing
  const trial = await runTrial({ modelDir, device, threads: 1, clock: systemClock })
  return trial.works ? undefined : trial.reason
}
