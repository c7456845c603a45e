import { Worker } from 'node:worker_threads'

/**
 * Starts a worker thread from a module beside `from`: JavaScript in the package, TypeScript in a checkout.
 * @param from the caller's `import.meta.url`
 * @param module such as `./worker`
 */
export function startThread(from: string, module: string, options: { name: string; workerData: unknown }): Worker {
  const isSource = from.endsWith('.ts')
  if (!isSource) return new Worker(new URL(`${module}.js`, from), options)
  // A new thread of Node 20 cannot read TypeScript: it first needs the loader that runs the checkout.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const file = JSON.stringify(new URL(`${module}.ts`, from))
  const code = `import(${loader}).then(({ register }) => { register(); return import(${file}) })`
  return new Worker(code, { eval: true, ...options })
}
