import { systemClock } from '../../wire/clock.ts'
import type { Held, Runtime } from '../../wire/runtime.ts'
import type { WhisperConfig } from '../config.ts'
import { chooseDevice, fallBack, type Choice } from '../devices/choose-device.ts'
import type { ChosenDevice } from '../devices/device.ts'
import { readFacts } from '../devices/facts.ts'
import { plainReason } from '../devices/plain-reason.ts'
import { runTrial } from '../devices/run-trial.ts'
import { loadManifest } from '../models/manifest.ts'
import type { Recogniser } from '../whisper/port.ts'

/** A recogniser, and where its model computes. */
export interface PlacedRecogniser {
  readonly recogniser: Recogniser
  readonly device: ChosenDevice
}

/** onnxruntime has one WebGPU context in a process, and does not say that two threads may use it at once. */
const WEBGPU_WORKERS = 1

/**
 * All speech servers of a process that use one model recognise with the same threads. Who asked for a device that cannot
 * be used is told so in one line of the log.
 */
export function holdRecogniser(config: WhisperConfig, runtime: Runtime): Promise<Held<PlacedRecogniser>> {
  return runtime.shared.hold(`recogniser:${config.device}:${config.modelDir}`, async () => {
    const value = await place(config, runtime)
    return { value, close: () => value.recogniser.stop() }
  })
}

async function place(config: WhisperConfig, { clock, log }: Runtime): Promise<PlacedRecogniser> {
  const { modelDir, workers, threadsPerWorker, device: wanted } = config
  const choice = await chooseDevice({
    wanted,
    facts: readFacts(),
    precision: (await loadManifest(modelDir)).precision,
    tryOut: (device) => runTrial({ modelDir, device, threads: threadsPerWorker, clock: systemClock }),
  })
  const placed = await startOn(choice)
  const { name, reason, notice } = placed.device
  if (notice === undefined) log.info({ device: name, reason }, 'the device was chosen')
  else log.warn(notice)
  return { recogniser: placed.recogniser, device: { name, reason } }

  async function startOn(device: Choice): Promise<{ readonly recogniser: Recogniser; readonly device: Choice }> {
    const { startRecogniser } = await import('../whisper/recogniser.ts')
    const common = { modelDir, threadsPerWorker, clock, log }
    const onCpu = (): Promise<Recogniser> => startRecogniser({ ...common, workers })
    if (device.name === 'cpu') return { recogniser: await onCpu(), device }
    try {
      const workersThere = device.name === 'webgpu' ? WEBGPU_WORKERS : workers
      const recogniser = await startRecogniser({ ...common, workers: workersThere, device: device.name })
      return { recogniser, device }
    } catch (error) {
      // It worked a moment ago, alone: memory may have gone, or the workers ask for more of it.
      const reason = plainReason(error instanceof Error ? error.message : String(error), '')
      return { recogniser: await onCpu(), device: fallBack(device.name, reason) }
    }
  }
}
