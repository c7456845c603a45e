import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { MODEL_DIR } from '../whisper/testing.ts'
import type { Trial } from './choose-device.ts'
import { GPUS } from './device.ts'
import { readFacts } from './facts.ts'
import { runTrial } from './run-trial.ts'

test.for(GPUS.map((device) => ({ device })))(
  '$device is tried, and says in a line why not',
  async ({ device }, { expect }) => {
    const trial = await runTrial({ modelDir: MODEL_DIR, device, threads: 1, clock: systemClock })

    if (trial.works) {
      // This machine has one.
      expect(trial.deviceMs).toBeGreaterThan(0)
      return
    }
    expect(trial.reason).toMatch(/^[^\n]{5,250}$/)
    expect(trial.reason).not.toContain('onnxruntime_src')
    const [missing] = readFacts().missingLibraries
    if (device === 'cuda' && missing !== undefined) expect(trial.reason).toContain('cannot be loaded')
  },
)

test('a trial that goes on for too long is ended', async ({ expect }) => {
  const impatient = {
    after(_ms: number, run: () => void) {
      queueMicrotask(run)
      return { cancel: () => undefined }
    },
  }

  const trial = await runTrial({ modelDir: MODEL_DIR, device: 'webgpu', threads: 1, clock: impatient })

  expect(trial).toEqual<Trial>({ works: false, reason: 'it took longer than 30 s' })
})
