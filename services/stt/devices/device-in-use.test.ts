import { test } from 'vitest'
import { silentLog } from '../../wire/log.ts'
import { createDeviceInUse } from './device-in-use.ts'

test('a GPU that fails at work is said in one line, however many workers it fails', ({ expect }) => {
  const lines: string[] = []
  const log = { ...silentLog, warn: (...said: unknown[]) => void lines.push(String(said.at(-1))) }
  const device = createDeviceInUse({ name: 'cuda', reason: 'asked for' }, log)

  device.fail('CUDA failure 700: an illegal memory access ; GPU=0\n  at somewhere')
  device.fail('CUDA failure 700: an illegal memory access ; GPU=0\n  at somewhere')

  expect(lines).toEqual(['cuda failed at work, the CPU goes on: CUDA failure 700: an illegal memory access ; GPU=0'])
  const reason = 'cuda failed at work: CUDA failure 700: an illegal memory access ; GPU=0'
  expect(device.current).toEqual({ name: 'cpu', reason })
})
