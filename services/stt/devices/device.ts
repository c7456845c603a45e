/** Where a model computes: execution providers of onnxruntime. */
export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const
export type Device = (typeof DEVICES)[number]
export type Gpu = Exclude<Device, 'cpu'>

/** In the order in which `auto` tries them. */
export const GPUS: readonly Gpu[] = ['cuda', 'webgpu']

/** What may be asked for; `auto` is the fastest that is there. */
export const WANTED_DEVICES = ['auto', ...DEVICES] as const
export type WantedDevice = (typeof WANTED_DEVICES)[number]

/** `undefined` for anything else. */
export function parseDevice(text: string): WantedDevice | undefined {
  return WANTED_DEVICES.find((each) => each === text)
}

/** Where a model computes, and why there. */
export interface ChosenDevice {
  readonly name: Device
  readonly reason: string
}
