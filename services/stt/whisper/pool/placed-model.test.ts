import { test } from 'vitest'
import type { Device } from '../../../wire/device.ts'
import { placeModel } from './placed-model.ts'

interface Fake {
  readonly on: Device
}

/** A model on a GPU that can be broken. */
async function placed(options: { device?: Device; mayFallBack?: boolean; isBroken?: boolean } = {}) {
  const { device = 'cuda', mayFallBack = false, isBroken = false } = options
  const loads: Device[] = []
  const moves: string[] = []
  const gpu = { isBroken }
  const cpu = { isFull: false }
  const withModel = await placeModel<Fake>({
    device,
    mayFallBack,
    load: async (on) => {
      loads.push(on)
      if (on === 'cpu' && cpu.isFull) throw new Error('no memory')
      if (on !== 'cpu' && gpu.isBroken) throw new Error('CUDA failure 2: out of memory')
      return { on }
    },
    isOwnFailure: (error) => String(error).includes('cancelled'),
    onMoved: (cause) => void moves.push(String(cause)),
  })
  const hear = (failure?: string) =>
    withModel(async ({ on }) => {
      if (failure !== undefined) throw new Error(failure)
      if (on !== 'cpu' && gpu.isBroken) throw new Error('CUDA failure 700: an illegal memory access')
      return `heard on ${on}`
    })
  return { loads, moves, gpu, cpu, hear }
}

test('what a lost GPU fails at is done on the CPU, and so is all that follows', async ({ expect }) => {
  const { loads, moves, gpu, hear } = await placed()

  expect(await hear()).toBe('heard on cuda')
  gpu.isBroken = true
  expect(await hear()).toBe('heard on cpu')
  gpu.isBroken = false
  expect(await hear()).toBe('heard on cpu')

  expect(loads).toEqual(['cuda', 'cpu'])
  expect(moves).toEqual(['Error: CUDA failure 700: an illegal memory access'])
})

test('what fails on the CPU as well, or was cancelled, does not move the model', async ({ expect }) => {
  const { loads, moves, hear } = await placed()

  await expect(hear('cancelled')).rejects.toThrow('cancelled')
  expect(loads).toEqual(['cuda'])
  await expect(hear('a defect of ours')).rejects.toThrow('a defect of ours')
  await expect(hear('a defect of ours')).rejects.toThrow('a defect of ours')

  expect(await hear()).toBe('heard on cuda')
  expect(loads).toEqual(['cuda', 'cpu'])
  expect(moves).toEqual([])
})

test('of work that fails at the same time each is done again, and the model moves once', async ({ expect }) => {
  const { loads, moves, gpu, hear } = await placed()
  gpu.isBroken = true

  expect(await Promise.all([hear(), hear()])).toEqual(['heard on cpu', 'heard on cpu'])
  expect(loads).toEqual(['cuda', 'cpu'])
  expect(moves).toHaveLength(1)
})

test('what fails on the CPU fails', async ({ expect }) => {
  const { loads, hear } = await placed({ device: 'cpu' })

  await expect(hear('a defect of ours')).rejects.toThrow('a defect of ours')
  expect(loads).toEqual(['cpu'])
})

test('a worker that comes later starts on the CPU when the GPU does not take it', async ({ expect }) => {
  await expect(placed({ isBroken: true })).rejects.toThrow('out of memory')
  const { loads, moves, hear } = await placed({ isBroken: true, mayFallBack: true })

  expect(await hear()).toBe('heard on cpu')
  expect(loads).toEqual(['cuda', 'cpu'])
  expect(moves).toEqual(['Error: CUDA failure 2: out of memory'])
})

test('where the CPU has no room for the model it is tried again by the next work', async ({ expect }) => {
  const { moves, gpu, cpu, hear } = await placed()
  gpu.isBroken = true
  cpu.isFull = true
  await expect(hear()).rejects.toThrow('no memory')
  expect(moves).toEqual([])

  cpu.isFull = false
  expect(await hear()).toBe('heard on cpu')
})
