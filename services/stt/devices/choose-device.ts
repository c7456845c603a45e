import type { WantedDevice } from '../../wire/device.ts'
import { GPUS, type ChosenDevice, type Gpu } from './device.ts'
import type { DeviceFacts } from './facts.ts'

/** What came of a real inference on a GPU. */
export type Trial =
  | { readonly works: true; readonly deviceMs: number; readonly cpuMs: number }
  | { readonly works: false; readonly reason: string }

export interface ChoiceInput {
  readonly wanted: WantedDevice
  readonly precision: 'int8' | 'fp32'
  readonly facts: DeviceFacts
  /** Runs the model on the device and on the CPU, somewhere where it may fail. */
  tryOut(device: Gpu): Promise<Trial>
}

export interface Choice extends ChosenDevice {
  /** For whoever asked for a device by name: that it is not to be had, or not worth it. */
  readonly notice?: string
}

/**
 * `cuda` and `webgpu` are taken when a trial with the model gives the CPU's answers, else the CPU is. `auto` tries what
 * the facts leave, and takes it when it is faster: software that plays a GPU is slower by orders of magnitude.
 */
export async function chooseDevice(input: ChoiceInput): Promise<Choice> {
  const { wanted } = input
  if (wanted === 'cpu') return { name: 'cpu', reason: 'asked for' }
  return wanted === 'auto' ? chooseFastest(input) : chooseNamed(wanted, input)
}

async function chooseNamed(wanted: Gpu, { precision, facts, tryOut }: ChoiceInput): Promise<Choice> {
  const missing = cannotBe(wanted, facts)
  if (missing !== undefined) return fallBack(wanted, missing)
  const trial = await tryOut(wanted)
  if (!trial.works) {
    // The library's own words seldom say what is missing.
    const seen = noGpu(facts)
    return fallBack(wanted, seen === undefined ? trial.reason : `${trial.reason}; ${seen}`)
  }
  const reason = `asked for; ${comparison(trial)}`
  if (precision === 'int8') return { name: wanted, reason, notice: `${wanted} is used, but ${INT8_STAYS}` }
  if (trial.deviceMs <= trial.cpuMs) return { name: wanted, reason }
  return { name: wanted, reason, notice: `${wanted} is used, but the CPU is faster here: ${comparison(trial)}` }
}

/** The CPU in place of the device that was asked for. */
export function fallBack(wanted: Gpu, reason: string): Choice {
  return { name: 'cpu', reason, notice: `${wanted} cannot be used, the CPU is: ${reason}` }
}

async function chooseFastest({ precision, facts, tryOut }: ChoiceInput): Promise<Choice> {
  const reasons: string[] = []
  for (const device of GPUS) {
    const missing = cannotBe(device, facts) ?? noGpu(facts)
    if (missing !== undefined) {
      reasons.push(`${device}: ${missing}`)
      continue
    }
    if (precision === 'int8') {
      reasons.push(`${device}: not tried, ${INT8_STAYS}`)
      continue
    }
    const trial = await tryOut(device)
    if (trial.works && trial.deviceMs < trial.cpuMs) return { name: device, reason: comparison(trial) }
    reasons.push(`${device}: ${trial.works ? `slower than the CPU, ${comparison(trial)}` : trial.reason}`)
  }
  return { name: 'cpu', reason: reasons.join('; ') }
}

/** Measured where nodes go: of the encoder of tiny.en int8, 20 matrix products of 115 nodes go to the CPU, of fp32 none. */
const INT8_STAYS =
  'matrix products of int8 models have no GPU form and stay on the CPU; import the model with --precision fp32'

/** Of onnxruntime-node itself; the CUDA runtime and cuDNN come with the system. */
const HOW_TO_GET_CUDA = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install'

/** Why there is no point in trying, by what can be seen without. */
export function cannotBe(device: Gpu, facts: DeviceFacts): string | undefined {
  if (device === 'webgpu') return undefined
  const { platform, arch, driverNodes, libraryFolder, missingLibraries } = facts
  if (platform !== 'linux' || arch !== 'x64') {
    return `onnxruntime has CUDA on Linux x64 only, and this is ${platform} ${arch}`
  }
  if (!driverNodes.some((node) => !node.startsWith('/dev/dri/'))) {
    return 'there is no NVIDIA driver, neither /dev/nvidia0 nor /dev/dxg'
  }
  if (missingLibraries.length === 0) return undefined
  const are = missingLibraries.length === 1 ? 'is' : 'are'
  return `${missingLibraries.join(' and ')} ${are} not in ${libraryFolder}, where ${HOW_TO_GET_CUDA} puts them`
}

/** Elsewhere than on Linux a GPU is taken for granted. */
function noGpu({ platform, driverNodes }: DeviceFacts): string | undefined {
  if (platform !== 'linux' || driverNodes.length > 0) return undefined
  return 'there is no GPU, neither /dev/dri/renderD* nor /dev/nvidia* nor /dev/dxg'
}

function comparison({ deviceMs, cpuMs }: { readonly deviceMs: number; readonly cpuMs: number }): string {
  return `${deviceMs.toFixed(0)} ms against ${cpuMs.toFixed(0)} ms on the CPU`
}
