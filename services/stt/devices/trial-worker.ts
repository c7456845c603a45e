import type { Trial } from './choose-device.ts'
import { GPUS } from './device.ts'
import { tryDevice } from './trial.ts'

// A program of its own, started by `run-trial.ts`: GPU libraries print what they like, and some end their process.

const [modelDir = '', name, threads] = process.argv.slice(2)
const device = GPUS.find((each) => each === name)
if (device === undefined) throw new RangeError(`There is no GPU ${name}.`)
// Nobody waits for the answer any more. A library that is at work holds this up until it is done.
process.on('disconnect', () => process.exit())

const trial = await tryDevice(modelDir, device, Number(threads)).catch((error: unknown): Trial => ({
  works: false,
  reason: error instanceof Error ? error.message : String(error),
}))
process.send?.(trial, () => process.disconnect())
