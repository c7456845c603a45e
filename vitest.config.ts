import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{emulator,services,fixtures,scripts}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'emulator/tests/e2e/**', '**/*.{containers,slow}.test.ts'],
    // A file's modules serve the next one, too: reading them again for each of 200 files took a third of the time.
    isolate: false,
    // Most of a test is waiting for a server: by default one core would be left idle.
    maxWorkers: '100%',
    // Tests start real databases and models: on two cores a slow neighbour must not look like a failure.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
