import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { packageRoot } from '../../../services/wire/package-root.ts'

/** A source file of the project. */
export interface Source {
  /** From the root of the project, with forward slashes. */
  readonly path: string
  /** Its code: comments and template literals are blank, so that nothing quoted is taken for code. */
  readonly code: string
}

/** One import, of a value or of a type, static or dynamic, also of a worker by its URL. */
export interface Import {
  readonly from: string
  /** A file of the project, or the name of a package. */
  readonly to: string
}

const FOLDERS = ['emulator', 'services', 'fixtures'] as const

/** Every TypeScript file below the folders of the product. */
export async function readSources(): Promise<readonly Source[]> {
  const paths = await Promise.all(
    FOLDERS.map(async (folder) => {
      const entries = await readdir(join(packageRoot, folder), { recursive: true })
      return entries
        .filter((entry) => entry.endsWith('.ts'))
        .map((entry) => posix.join(folder, ...entry.split(/[\\/]/)))
    }),
  )
  return Promise.all(
    paths
      .flat()
      .sort()
      .map(async (path) => ({ path, code: codeOf(await readFile(join(packageRoot, path), 'utf8')) })),
  )
}

/** Tests, and what only tests use: it is not published and may look everywhere. */
export function isTest(path: string): boolean {
  return (
    /\.test\.ts$|\/(contract|testing(-[a-z-]+)?)\.ts$|\/queue\/contract\/|\.bench\.ts$/.test(path) ||
    path.startsWith('emulator/tests/')
  )
}

const QUOTED_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

/** Keeps line numbers: what is blanked keeps its line breaks. */
export function codeOf(text: string): string {
  return text.replaceAll(QUOTED_OR_COMMENT, (piece) => (/^['"]/.test(piece) ? piece : piece.replaceAll(/[^\n]/g, ' ')))
}

const SPECIFIERS = [
  /\bfrom\s*'([^']+)'/g,
  /\bimport\s*'([^']+)'/g,
  /\bimport\s*\(\s*'([^']+)'/g,
  /\bnew URL\(\s*'(\.[^']+\.[jt]s)'\s*,\s*import\.meta\.url/g,
]

export function importsOf({ path, code }: Source): readonly Import[] {
  return SPECIFIERS.flatMap((pattern) =>
    Array.from(code.matchAll(pattern), ([, specifier = '']) => ({ from: path, to: resolve(path, specifier) })),
  )
}

function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
}
