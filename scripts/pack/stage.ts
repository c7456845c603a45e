import { spawnSync } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../services/wire/package-root.ts'
import { bundledLicences } from './licences.ts'

/** Documents that travel with the package; without them it must not be published. */
const DOCUMENTS = [
  'README.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'docs',
] as const

/** Under `dist`: what THIRD_PARTY_NOTICES.md refers to. */
const BUNDLED_LICENCES = 'LICENCES.txt'

/**
 * What inference on the CPU needs of onnxruntime-node, by platform. Its package also holds copies, other platforms, and
 * the libraries of graphics cards (DirectML, the shader compilers of WebGPU), which are only opened when one is asked for.
 */
export const RUNTIME_LIBRARIES = {
  'linux/x64': ['onnxruntime_binding.node', 'libonnxruntime.so.1'],
  'linux/arm64': ['onnxruntime_binding.node', 'libonnxruntime.so.1'],
  'darwin/arm64': ['onnxruntime_binding.node', 'libonnxruntime.1.dylib'],
  'win32/x64': ['onnxruntime_binding.node', 'onnxruntime.dll'],
} as const

/** Members of package.json that only a checkout needs. */
const CHECKOUT_ONLY = ['scripts', 'devDependencies', 'allowScripts'] as const

/**
 * Lays out the package in `stage`. onnxruntime-node travels inside, without its install script: that one downloads a
 * library for graphics cards from outside the registry and fails the whole installation where it cannot.
 */
export async function stagePackage(stage: string): Promise<void> {
  await mkdir(stage, { recursive: true })
  compile(join(stage, 'dist'))
  await writeFile(join(stage, 'dist', BUNDLED_LICENCES), await bundledLicences(join(stage, 'dist')))
  await copyFixtures(join(stage, 'fixtures'))
  for (const name of DOCUMENTS) await cp(join(packageRoot, name), join(stage, name), { recursive: true })
  await bundleRuntime(join(stage, 'node_modules'))

  const manifest = without(await readJson(join(packageRoot, 'package.json')), CHECKOUT_ONLY)
  await writeJson(join(stage, 'package.json'), { ...manifest, bundleDependencies: ['onnxruntime-node'] })
}

function compile(out: string): void {
  const { status } = spawnSync(process.execPath, [join(packageRoot, 'scripts/build.mjs'), out], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The compiler found errors.')
}

/** Data only: the code among the fixtures is in `dist`. */
async function copyFixtures(to: string): Promise<void> {
  await cp(join(packageRoot, 'fixtures'), to, { recursive: true, filter: (path) => !path.endsWith('.ts') })
}

async function bundleRuntime(modules: string): Promise<void> {
  const libraries = Object.entries(RUNTIME_LIBRARIES).flatMap(([platform, names]) =>
    names.map((name) => `bin/napi-v6/${platform}/${name}`),
  )
  const version = await bundle('onnxruntime-common', ['dist'], modules, {})
  await bundle('onnxruntime-node', ['dist', ...libraries], modules, { 'onnxruntime-common': version })
}

/**
 * Copies parts of an installed package, and its manifest without anything that runs on installation. `dependencies`
 * replaces its own, most of which serve its install script. Returns its version.
 */
async function bundle(
  name: string,
  parts: readonly string[],
  modules: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const from = join(packageRoot, 'node_modules', name)
  for (const part of parts) {
    await cp(join(from, part), join(modules, name, part), { recursive: true, filter: (path) => !path.endsWith('.map') })
  }
  const manifest = without(await readJson(join(from, 'package.json')), ['scripts', 'devDependencies'])
  await writeJson(join(modules, name, 'package.json'), { ...manifest, dependencies })
  return String(manifest['version'])
}

type Manifest = Readonly<Record<string, unknown>>

function without(manifest: Manifest, members: readonly string[]): Manifest {
  return Object.fromEntries(Object.entries(manifest).filter(([member]) => !members.includes(member)))
}

async function readJson(path: string): Promise<Manifest> {
  // Both readers know the file: it is a package.json.
  return JSON.parse(await readFile(path, 'utf8')) as Manifest
}

async function writeJson(path: string, value: Manifest): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`)
}
