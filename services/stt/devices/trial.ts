import { loadManifest } from '../models/manifest.ts'
import { loadSessions, type Sessions } from '../whisper/sessions.ts'
import type { ModelManifest } from '../models/manifest.ts'
import type { Trial } from './choose-device.ts'
import type { Gpu } from './device.ts'
import { warmUp } from './warm-up.ts'

/** Cosine of the angle between what two devices answer. Their roundings differ; int8 models on one CPU and another reach 0.9996. */
const MIN_LIKENESS = 0.999

/**
 * One inference on a GPU and on the CPU. The first one on each is not timed: it compiles shaders and makes room.
 *
 * @throws Error in the words of the library when it cannot load the model there or run it
 */
export async function tryDevice(modelDir: string, device: Gpu, threads: number): Promise<Trial> {
  const manifest = await loadManifest(modelDir)
  const onDevice = await run(await loadSessions(modelDir, manifest, { threads, device }), manifest)
  const onCpu = await run(await loadSessions(modelDir, manifest, { threads, device: 'cpu' }), manifest)
  const likeness = cosine(onDevice.logits, onCpu.logits)
  if (likeness >= MIN_LIKENESS) return { works: true, deviceMs: onDevice.tookMs, cpuMs: onCpu.tookMs }
  return { works: false, reason: `its answers are not those of the CPU (likeness ${likeness.toFixed(3)})` }
}

async function run(
  sessions: Sessions,
  manifest: ModelManifest,
): Promise<{ readonly logits: Float32Array; readonly tookMs: number }> {
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
