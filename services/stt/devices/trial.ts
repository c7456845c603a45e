import type { Device } from '../../wire/device.ts'
import { loadManifest, type ModelManifest } from '../models/manifest.ts'
import { loadSessions, type Sessions } from '../whisper/sessions.ts'
import type { Trial } from './choose-device.ts'
import { warmUp } from './warm-up.ts'

/** Cosine of the angle between what two devices answer. Their roundings differ; int8 models on one CPU and another reach 0.9996. */
const MIN_LIKENESS = 0.999

/** What a device answers after a warm-up, and how long the second one took it. */
interface Answer {
  readonly logits: Float32Array
  readonly tookMs: number
}

/**
 * One inference on a device and on the CPU. The first one on each is not timed: it compiles shaders and makes room.
 *
 * @throws Error in the words of the library when it cannot load the model there or run it
 */
export async function tryDevice(modelDir: string, device: Device, threads: number): Promise<Trial> {
  const manifest = await loadManifest(modelDir)
  const there = await answer(await loadSessions(modelDir, manifest, { threads, device }), manifest)
  const onCpu = await answer(await loadSessions(modelDir, manifest, { threads, device: 'cpu' }), manifest)
  return compare(there, onCpu)
}

export function compare(there: Answer, onCpu: Answer): Trial {
  const likeness = cosine(there.logits, onCpu.logits)
  if (likeness >= MIN_LIKENESS) return { works: true, deviceMs: there.tookMs, cpuMs: onCpu.tookMs }
  return { works: false, reason: `its answers are not those of the CPU (likeness ${likeness.toFixed(3)})` }
}

async function answer(sessions: Sessions, manifest: ModelManifest): Promise<Answer> {
  await warmUp(sessions, manifest)
  const startedMs = performance.now()
  const logits = await warmUp(sessions, manifest)
  return { logits, tookMs: performance.now() - startedMs }
}

function cosine(one: Float32Array, other: Float32Array): number {
  let product = 0
  let ofOne = 0
  let ofOther = 0
  for (const [index, value] of one.entries()) {
    const otherValue = other[index] ?? 0
    product += value * otherValue
    ofOne += value * value
    ofOther += otherValue * otherValue
  }
  return product / Math.sqrt(ofOne * ofOther)
}
