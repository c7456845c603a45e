import { test } from 'vitest'
import { chooseDevice, type ChoiceInput, type Trial } from './choose-device.ts'
import type { DeviceFacts } from './facts.ts'
import type { Gpu } from './device.ts'

const NVIDIA: DeviceFacts = {
  platform: 'linux',
  arch: 'x64',
  driverNodes: ['/dev/nvidia0', '/dev/dri/renderD128'],
  libraryFolder: '/ort',
  missingLibraries: [],
}
const RADEON: DeviceFacts = { ...NVIDIA, driverNodes: ['/dev/dri/renderD128'] }
const BARE: DeviceFacts = { ...NVIDIA, driverNodes: [], missingLibraries: ['shared.so', 'cuda.so'] }
const MAC: DeviceFacts = { ...BARE, platform: 'darwin', arch: 'arm64' }

const FAST: Trial = { works: true, deviceMs: 5, cpuMs: 50 }
const SLOW: Trial = { works: true, deviceMs: 900, cpuMs: 50 }
const broken = (reason: string): Trial => ({ works: false, reason })

interface Case {
  readonly wanted: ChoiceInput['wanted']
  readonly where: string
  readonly facts: DeviceFacts
  readonly precision?: 'int8'
  readonly trials?: Partial<Record<Gpu, Trial>>
  readonly device: string
  readonly reason: string
  readonly isToldSo?: boolean
}

test.for<Case>([
  { wanted: 'cpu', where: 'anywhere', facts: NVIDIA, device: 'cpu', reason: 'asked for' },

  { wanted: 'auto', where: 'with CUDA', facts: NVIDIA, trials: { cuda: FAST }, device: 'cuda', reason: '5 ms against' },
  {
    wanted: 'auto',
    where: 'where CUDA fails',
    facts: NVIDIA,
    trials: { cuda: broken('libcudnn.so.9 cannot be loaded'), webgpu: FAST },
    device: 'webgpu',
    reason: '5 ms against',
  },
  {
    wanted: 'auto',
    where: 'without the CUDA libraries',
    facts: { ...NVIDIA, missingLibraries: ['cuda.so'] },
    trials: { webgpu: broken('no adapter') },
    device: 'cpu',
    reason: 'cuda: cuda.so is not in /ort, where',
  },
  {
    wanted: 'auto',
    where: 'with another GPU',
    facts: RADEON,
    trials: { webgpu: FAST },
    device: 'webgpu',
    reason: '5 ms',
  },
  {
    wanted: 'auto',
    where: 'where software plays the GPU',
    facts: RADEON,
    trials: { webgpu: SLOW },
    device: 'cpu',
    reason: 'webgpu: slower than the CPU, 900 ms against 50 ms',
  },
  { wanted: 'auto', where: 'on a Mac', facts: MAC, trials: { webgpu: FAST }, device: 'webgpu', reason: '5 ms' },
  {
    wanted: 'auto',
    where: 'without a GPU',
    facts: BARE,
    device: 'cpu',
    reason: 'cuda: there is no NVIDIA driver, neither /dev/nvidia0 nor /dev/dxg; webgpu: there is no GPU',
  },
  {
    wanted: 'auto',
    where: 'with CUDA and an int8 model',
    facts: NVIDIA,
    precision: 'int8',
    device: 'cpu',
    reason: 'cuda: not tried, matrix products of int8 models have no GPU form',
  },

  { wanted: 'cuda', where: 'with CUDA', facts: NVIDIA, trials: { cuda: FAST }, device: 'cuda', reason: 'asked for; 5' },
  {
    wanted: 'cuda',
    where: 'without a GPU',
    facts: BARE,
    device: 'cpu',
    reason: 'there is no NVIDIA driver',
    isToldSo: true,
  },
  {
    wanted: 'cuda',
    where: 'without its libraries',
    facts: { ...NVIDIA, missingLibraries: ['shared.so', 'cuda.so'] },
    device: 'cpu',
    reason: 'shared.so and cuda.so are not in /ort',
    isToldSo: true,
  },
  { wanted: 'cuda', where: 'on a Mac', facts: MAC, device: 'cpu', reason: 'on Linux x64 only', isToldSo: true },
  {
    wanted: 'cuda',
    where: 'where it loads and does not run',
    facts: NVIDIA,
    trials: { cuda: broken('CUDA failure 100: no CUDA-capable device') },
    device: 'cpu',
    reason: 'CUDA failure 100',
    isToldSo: true,
  },
  {
    wanted: 'cuda',
    where: 'with an int8 model',
    facts: NVIDIA,
    precision: 'int8',
    trials: { cuda: SLOW },
    device: 'cuda',
    reason: 'asked for',
    isToldSo: true,
  },
  {
    wanted: 'webgpu',
    where: 'without a GPU',
    facts: BARE,
    trials: { webgpu: broken('No supported adapters') },
    device: 'cpu',
    reason: 'No supported adapters; there is no GPU, neither /dev/dri/renderD*',
    isToldSo: true,
  },
  {
    wanted: 'webgpu',
    where: 'played by software',
    facts: BARE,
    trials: { webgpu: SLOW },
    device: 'webgpu',
    reason: 'asked for; 900 ms',
    isToldSo: true,
  },
])('$wanted $where is $device', async ({ wanted, facts, precision, trials = {}, ...expected }, { expect }) => {
  const tryOut = async (device: Gpu): Promise<Trial> => trials[device] ?? broken('nobody should have tried')

  const choice = await chooseDevice({ wanted, facts, precision: precision ?? 'fp32', tryOut })

  expect(choice.name).toBe(expected.device)
  expect(choice.reason).toContain(expected.reason)
  expect(choice.reason).not.toContain('nobody should have tried')
  expect(choice.notice !== undefined).toBe(expected.isToldSo === true)
  expect(choice.notice ?? '').not.toContain('\n')
})
