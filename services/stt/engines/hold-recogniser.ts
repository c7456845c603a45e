import { systemClock } from '../../wire/clock.ts'
import type { Held, Runtime } from '../../wire/runtime.ts'
import type { WhisperConfig } from '../config.ts'
import { chooseDevice } from '../devices/choose-device.ts'
import type { ChosenDevice } from '../devices/device.ts'
import { createDeviceInUse, type DeviceInUse } from '../devices/device-in-use.ts'
import { readFacts } from '../devices/facts.ts'
import { runTrial } from '../devices/run-trial.ts'
import { startOn } from '../devices/start-on.ts'
import { loadManifest } from '../models/manifest.ts'
import type { Recogniser } from '../whisper/port.ts'

/** A recogniser, and where its model computes: elsewhere than at first when a GPU failed. */
export interface PlacedRecogniser {
  readonly recogniser: Recogniser
  readonly device: ChosenDevice
}

/** onnxruntime has one WebGPU context in a process, and does not say that two threads may use it at once. */
const WEBGPU_WORKERS = 1

/**
 * All speech servers of a process that use one model recognise with the same threads. Whoever asked for a device that
 * cannot be used is told so in one line of the log.
 */
export function holdRecogniser(config: WhisperConfig, runtime: Runtime): Promise<Held<PlacedRecogniser>> {
  return runtime.shared.hold(`recogniser:${config.device}:${config.modelDir}`, async () => {
    const value = await place(config, runtime)
    return { value, close: () => value.recogniser.stop() }
  })
}

async function place(config: WhisperConfig, { clock, log }: Runtime): Promise<PlacedRecogniser> {
  const { modelDir, workers, threadsPerWorker, device: wanted } = config
  const { precision } = await loadManifest(modelDir)
  const chosen = await chooseDevice({
    wanted,
    facts: readFacts(),
    precision,
    tryOut: (device) => runTrial({ modelDir, device, threads: threadsPerWorker, clock: systemClock }),
  })
  const { startRecogniser } = await import('../whisper/recogniser.ts')
  let inUse: DeviceInUse | undefined
  const { value, choice } = await startOn(chosen, (device) =>
    startRecogniser({
      modelDir,
      workers: device === 'webgpu' ? WEBGPU_WORKERS : workers,
      threadsPerWorker,
      // Its only worker has all cores then.
      ...(device === 'webgpu' && { fallbackThreads: workers * threadsPerWorker }),
      device,
      onMoved: (message) => inUse?.fail(message),
      clock,
      log,
    }),
  )
  const { name, reason, notice } = choice
  const device = createDeviceInUse({ name, reason }, log)
  inUse = device
  if (notice === undefined) log.info({ device: name, reason }, 'the device was chosen')
  else log.warn(notice)
  return {
    recogniser: value,
    get device() {
      return device.current
    },
  }
}
