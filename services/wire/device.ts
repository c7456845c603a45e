/** Where a speech model computes, as `--device` and the variable DEVICE name it: execution providers of onnxruntime. */
export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const
export type Device = (typeof DEVICES)[number]

/** What may be asked for; `auto` is the fastest that is there. */
export const WANTED_DEVICES = ['auto', ...DEVICES] as const
export type WantedDevice = (typeof WANTED_DEVICES)[number]

/** `undefined` for anything else. */
export function parseDevice(text: string): WantedDevice | undefined {
  return WANTED_DEVICES.find((each) => each === text)
}
