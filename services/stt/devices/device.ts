import type { Device } from '../../wire/device.ts'

export type Gpu = Exclude<Device, 'cpu'>

/** In the order in which `auto` tries them. */
export const GPUS: readonly Gpu[] = ['cuda', 'webgpu']

/** Where a model computes, and why there. */
export interface ChosenDevice {
  readonly name: Device
  readonly reason: string
}
