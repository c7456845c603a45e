import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelError } from './errors.ts'
import { hashFiles } from './hash-files.ts'
import { assertFiles, loadManifest, modelFiles, type ModelManifest } from './manifest.ts'

/** Where models are: those that travel with the package, and those that the user imported. */
export interface ModelPlaces {
  readonly bundled: string
  readonly imported: string
}

export interface ListedModel {
  readonly name: string
  readonly folder: string
  readonly isBundled: boolean
  readonly manifest: ModelManifest
  readonly bytes: number
}

/** A folder in the place of models that holds none, and why. */
export interface BrokenModel {
  readonly name: string
  readonly folder: string
  readonly reason: string
}

export interface ModelList {
  readonly models: readonly ListedModel[]
  readonly broken: readonly BrokenModel[]
}

/** All models, the bundled ones first, each by name. */
export async function listModels({ bundled, imported }: ModelPlaces): Promise<ModelList> {
  const models: ListedModel[] = []
  const broken: BrokenModel[] = []
  for (const [place, isBundled] of [
    [bundled, true],
    [imported, false],
  ] as const) {
    for (const folder of await foldersIn(place)) {
      const name = isBundled ? shortName(folder.name) : folder.name
      try {
        const manifest = await loadManifest(folder.path)
        await assertFiles(folder.path, manifest)
        const bytes = modelFiles(manifest).reduce((sum, file) => sum + file.bytes, 0)
        models.push({ name, folder: folder.path, isBundled, manifest, bytes })
      } catch (error) {
        // Beside the bundled Whisper lies a model of another kind.
        if (!isBundled)
          broken.push({ name, folder: folder.path, reason: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  return { models, broken }
}

/** What is wrong with a file of a model. */
export interface Damage {
  readonly file: string
  readonly what: string
}

/** Compares every file with its size and checksum in the manifest. @throws ModelError when there is no manifest */
export async function verifyModel(folder: string): Promise<readonly Damage[]> {
  const damages: Damage[] = []
  for (const { name, bytes, sha256 } of modelFiles(await loadManifest(folder))) {
    const what = await damageOf(join(folder, name), { bytes, sha256 })
    if (what !== undefined) damages.push({ file: name, what })
  }
  return damages
}

async function damageOf(
  path: string,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
): Promise<string | undefined> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) return 'is missing'
  if (size !== bytes) return `has ${size} bytes instead of ${bytes}`
  const found = await hashFiles([path])
  return found === sha256 ? undefined : `has the SHA-256 ${found} instead of ${sha256}`
}

/** Removes an imported model, whole or broken. @throws ModelError for bundled ones and those that are not there */
export async function removeModel(places: ModelPlaces, name: string): Promise<void> {
  const { models, broken } = await listModels(places)
  const found = [...models.filter(({ isBundled }) => !isBundled), ...broken].find((each) => each.name === name)
  if (found === undefined) {
    const isBundled = models.some((each) => each.name === shortName(name))
    throw new ModelError(isBundled ? `${name} belongs to the package and stays.` : `There is no model ${name}.`)
  }
  await rm(found.folder, { recursive: true })
}

/** `whisper-base` and `base` are one model. */
function shortName(name: string): string {
  return name.replace(/^whisper-/, '')
}

async function foldersIn(place: string): Promise<{ readonly name: string; readonly path: string }[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(() => [])
  return (
    entries
      // Hidden ones are imports under way.
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => ({ name, path: join(place, name) }))
      .toSorted((one, other) => one.name.localeCompare(other.name))
  )
}
