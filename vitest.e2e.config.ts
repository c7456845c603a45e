import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['emulator/tests/e2e/**/*.test.ts'],
    // Each file starts the built command several times: side by side they would only take each other's cores.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
