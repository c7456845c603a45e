import type { Log } from '../../wire/log.ts'
import type { ChosenDevice } from './device.ts'
import { plainReason } from './plain-reason.ts'

/** Where a model computes: where it was started, until that fails. */
export interface DeviceInUse {
  readonly current: ChosenDevice
  /** The device failed a worker with these words, which goes on with the CPU. The first of them says so for all. */
  fail(message: string): void
}

export function createDeviceInUse(started: ChosenDevice, log: Log): DeviceInUse {
  let current = started
  return {
    get current() {
      return current
    },
    fail(message) {
      const { name } = current
      if (name === 'cpu') return
      const reason = plainReason(message, '')
      current = { name: 'cpu', reason: `${name} failed at work: ${reason}` }
      log.warn(`${name} failed at work, the CPU goes on: ${reason}`)
    },
  }
}
