import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { packageRoot } from '../../../services/wire/package-root.ts'

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

test('the lock file holds the packages of every platform, or npm ci refuses it', async ({ expect }) => {
  const lock = JSON.parse(await readFile(join(packageRoot, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  const missing = Object.values(lock.packages)
    .flatMap(({ optionalDependencies = {} }) => Object.entries(optionalDependencies))
    .filter(([name, version]) => /^\d/.test(version) && !lock.packages[`node_modules/${name}`])
    .map(([name]) => name)

  expect(
    missing,
    'Pin the package that asks for them to a version whose platforms the registry has, and install again.',
  ).toEqual([])
})
