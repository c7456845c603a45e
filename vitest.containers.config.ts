import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{emulator,services}/**/*.containers.test.ts'],
    // One engine: files side by side would only wait for each other, and would take each other's leftovers.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
