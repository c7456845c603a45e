import { fallBack, type Choice } from './choose-device.ts'
import type { Device } from '../../wire/device.ts'
import { plainReason } from './plain-reason.ts'

export interface Placed<T> {
  readonly value: T
  readonly choice: Choice
}

/**
 * Starts something on the chosen device, and on the CPU where that fails after all: it worked a moment ago, but alone,
 * and memory may be short by now.
 *
 * @throws what the start on the CPU throws
 */
export async function startOn<T>(choice: Choice, start: (device: Device) => Promise<T>): Promise<Placed<T>> {
  const { name } = choice
  if (name === 'cpu') return { value: await start(name), choice }
  try {
    return { value: await start(name), choice }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { value: await start('cpu'), choice: fallBack(name, plainReason(message, '')) }
  }
}
