import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEnvironment, type StartedEnvironment, type StartOptions } from '../start-environment.ts'

export type TestEnvironmentOptions = StartOptions & { readonly onTestFinished: (cleanUp: () => Promise<void>) => void }

/** A fresh environment that hears nothing, with embedded backends, stopped when the test ends. */
export async function startTestEnvironment(options: TestEnvironmentOptions): Promise<StartedEnvironment> {
  const { onTestFinished, ...wanted } = options
  const environment = await startEnvironment({
    engine: 'scripted',
    backends: { mode: 'embedded' },
    // Shared by all tests: what is cached there is the same for every environment.
    cacheDir: join(tmpdir(), 'aldea-test-cache'),
    ...wanted,
  })
  onTestFinished(() => environment.stop())
  return environment
}
