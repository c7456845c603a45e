import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systems } from '../../fixtures/systems/index.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { startEnvironment, type Environment } from '../core/environment.ts'
import type { BackendOptions, HttpsOptions } from '../core/environment-options.ts'
import { parseChoice } from '../core/system.ts'

export interface TestEnvironmentOptions {
  readonly onTestFinished: (cleanUp: () => Promise<void>) => void
  readonly stage?: string
  readonly profile?: string
  readonly engine?: string
  readonly backends?: BackendOptions['mode']
  readonly hasRelays?: boolean
  readonly https?: HttpsOptions
}

/** A fresh environment on a free port, with its state in a temporary folder, stopped when the test ends. */
export async function startTestEnvironment(options: TestEnvironmentOptions): Promise<Environment> {
  const { onTestFinished, engine = 'scripted', backends: mode = 'embedded', hasRelays, https, ...wanted } = options
  const [system] = systems
  const baseDir = await mkdtemp(join(tmpdir(), 'aldea-test-'))
  onTestFinished(() => rm(baseDir, { recursive: true, force: true }))
  const environment = await startEnvironment({
    topology: system.describe(parseChoice(system, { ...wanted, engine })),
    name: 'test',
    baseDir,
    // Shared by all tests: what is cached there is the same for every environment.
    cacheDir: join(tmpdir(), 'aldea-test-cache'),
    awsPort: 0,
    backends: { mode, urls: {}, ...(hasRelays !== undefined && { hasRelays }) },
    redisBinary: undefined,
    host: '127.0.0.1',
    port: 0,
    https,
    logLevel: 'warn',
    clock: systemClock,
    ids: systemIds,
  })
  onTestFinished(() => environment.stop())
  return environment
}
