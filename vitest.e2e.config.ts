import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // With them what takes too long for every run: other programs that start slowly, whole models, waits that nothing shortens.
    include: ['emulator/tests/e2e/**/*.test.ts', '{emulator,services}/**/*.slow.test.ts'],
    // Most files start the built command several times: side by side they would only take each other's cores.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
