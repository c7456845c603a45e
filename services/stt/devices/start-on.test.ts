import { test } from 'vitest'
import type { Device } from '../../wire/device.ts'
import { startOn } from './start-on.ts'

test('what does not start on the GPU starts on the CPU, and one line says so', async ({ expect }) => {
  const tried: Device[] = []
  const { value, choice } = await startOn({ name: 'cuda', reason: 'fast' }, async (device) => {
    tried.push(device)
    if (device === 'cuda') throw new Error('CUDA failure 2: out of memory ; GPU=0\n  at somewhere')
    return 'recogniser'
  })

  expect(tried).toEqual(['cuda', 'cpu'])
  expect(value).toBe('recogniser')
  expect(choice).toMatchObject({ name: 'cpu', reason: 'CUDA failure 2: out of memory ; GPU=0' })
  expect(choice.notice).toBe('cuda cannot be used, the CPU is: CUDA failure 2: out of memory ; GPU=0')
})

test('what does not start on the CPU does not start', async ({ expect }) => {
  const tried: Device[] = []
  const start = async (device: Device): Promise<never> => {
    tried.push(device)
    throw new Error('no such model')
  }

  await expect(startOn({ name: 'cpu', reason: '' }, start)).rejects.toThrow('no such model')
  await expect(startOn({ name: 'webgpu', reason: '' }, start)).rejects.toThrow('no such model')
  expect(tried).toEqual(['cpu', 'webgpu', 'cpu'])
})
