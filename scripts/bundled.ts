import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../services/wire/package-root.ts'

/**
 * A script as the product's programs are built (scripts/build.mjs): run from its sources each of its closures would cost
 * a call more. @returns the path of a file that plain Node runs
 */
export async function bundled(script: string): Promise<string> {
  const name = relative(packageRoot, script).replaceAll(/[^\w]/g, '-')
  // Beside the packages, which it loads as they are.
  const outfile = join(packageRoot, 'node_modules', '.cache', 'aldea-local', `${name}.mjs`)
  await build({
    entryPoints: [script],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  })
  return outfile
}
