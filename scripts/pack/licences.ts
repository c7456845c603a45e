import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../services/wire/package-root.ts'

const MODULES = 'node_modules/'

/**
 * The licences of every package whose code was bundled into the programs of `dist`, as one text. Which ones they are is
 * what the build says it has put in, not what somebody remembered.
 */
export async function bundledLicences(dist: string): Promise<string> {
  // Written by scripts/build.mjs: the paths of all files, from the root of the project.
  const inputs = JSON.parse(await readFile(join(dist, 'inputs.json'), 'utf8')) as readonly string[]
  const folders = new Set(inputs.flatMap(packageOf))
  if (folders.size === 0) throw new Error('The build names no package: the programs are built in another way now.')
  const texts = await Promise.all([...folders].sort().map(licenceOf))
  return `The programs in this folder contain code of these packages.\n\n${texts.join('\n')}`
}

/** Its folder, from the root of the project: a package can be there twice, in two versions. */
function packageOf(input: string): readonly string[] {
  const [, inner = ''] = /node_modules\/(.*)$/.exec(input) ?? []
  const [path] = /^(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/.exec(inner) ?? []
  return path === undefined ? [] : [MODULES + path]
}

async function licenceOf(folder: string): Promise<string> {
  const path = join(packageRoot, folder)
  // npm checked it when it installed the package.
  const manifest = JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as Record<string, unknown>
  const { name, version } = manifest
  const license = licenceIn(manifest)
  if (license === undefined) throw new Error(`${folder} does not say under which licence it is.`)
  const file = (await readdir(path)).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry))
  const text = file === undefined ? `By ${authorOf(manifest)}.` : await readFile(join(path, file), 'utf8')
  return `${'='.repeat(80)}\n${String(name)} ${String(version)}, ${license}\n${'='.repeat(80)}\n\n${text.trim()}\n`
}

/** Old packages have a list. */
function licenceIn({ license, licenses }: Record<string, unknown>): string | undefined {
  if (typeof license === 'string') return license
  const listed = Array.isArray(licenses) ? licenses.flatMap((each: { type?: string }) => each.type ?? []) : []
  return listed.length > 0 ? listed.join(' or ') : undefined
}

function authorOf({ author }: Record<string, unknown>): string {
  if (typeof author === 'string') return author
  if (typeof author === 'object' && author !== null && 'name' in author) return String(author.name)
  return 'its contributors'
}
