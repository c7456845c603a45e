import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder that holds package.json: the checkout, or the installed package. */
export const packageRoot = findRoot(import.meta.dirname)

/** Whether this runs from TypeScript in a checkout, not from `dist/`. */
export const runsFromSource = import.meta.filename.endsWith('.ts')

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('No package.json above this program.')
  return findRoot(parent)
}
