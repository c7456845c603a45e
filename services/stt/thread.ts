import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { packageRoot, runsFromSource } from '../wire/package-root.ts'

/**
 * What a network says lies beside the heap until the heap's young part is collected. By V8's own limit, 48 MB, 30 MB of
 * it wait in each thread; less than this takes time (docs/benchmarks.md).
 */
const resourceLimits = { maxYoungGenerationSizeMb: 6 }

/**
 * Starts a worker thread: JavaScript in the package, TypeScript in a checkout.
 * @param module path from the package's root, without its ending: `services/stt/whisper/pool/worker`
 */
export function startThread(module: string, options: { name: string; workerData: unknown; stderr?: boolean }): Worker {
  const limited = { ...options, resourceLimits }
  if (!runsFromSource) return new Worker(join(packageRoot, 'dist', `${module}.js`), limited)
  // A new thread of Node 20 cannot read TypeScript: it first needs the loader that runs the checkout.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const file = JSON.stringify(pathToFileURL(join(packageRoot, `${module}.ts`)))
  const code = `import(${loader}).then(({ register }) => { register(); return import(${file}) })`
  return new Worker(code, { eval: true, ...limited })
}
