import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../services/wire/package-root.ts'

const MODULES = 'node_modules/'

/**
 * The licences of every package whose code was bundled into the programs of `dist`, as one text. Which ones they are is
 * read from the source maps: that is what was put in, not what somebody remembered.
 */
export async function bundledLicences(dist: string): Promise<string> {
  const entries = await readdir(dist, { recursive: true })
  const maps = entries.filter((entry) => entry.endsWith('.js.map'))
  const folders = new Set((await Promise.all(maps.map((map) => packagesIn(join(dist, map))))).flat())
  if (folders.size === 0) throw new Error('No source map names a package: the programs are built in another way now.')
  const texts = await Promise.all([...folders].sort().map(licenceOf))
  return `The programs in this folder contain code of these packages.\n\n${texts.join('\n')}`
}

/** Their folders, from the root of the project: a package can be there twice, in two versions. */
async function packagesIn(sourceMap: string): Promise<readonly string[]> {
  // esbuild's own file: https://tc39.es/ecma426/, of which `sources` is required.
  const { sources } = JSON.parse(await readFile(sourceMap, 'utf8')) as { sources: readonly string[] }
  return sources.flatMap((source) => {
    const [, inner = ''] = /node_modules\/(.*)$/.exec(source) ?? []
    const [path] = /^(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/.exec(inner) ?? []
    return path === undefined ? [] : [MODULES + path]
  })
}

async function licenceOf(folder: string): Promise<string> {
  const path = join(packageRoot, folder)
  // npm checked it when it installed the package.
  const manifest = JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as Record<string, unknown>
  const { name, version, license } = manifest
  if (typeof license !== 'string') throw new Error(`${folder} does not say under which licence it is.`)
  const file = (await readdir(path)).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry))
  const text = file === undefined ? `By ${authorOf(manifest)}.` : await readFile(join(path, file), 'utf8')
  return `${'='.repeat(80)}\n${String(name)} ${String(version)}, ${license}\n${'='.repeat(80)}\n\n${text.trim()}\n`
}

function authorOf({ author }: Record<string, unknown>): string {
  if (typeof author === 'string') return author
  if (typeof author === 'object' && author !== null && 'name' in author) return String(author.name)
  return 'its contributors'
}
