import { Worker } from 'node:worker_threads'
import type { WorkerData } from './worker-messages.ts'

/** Starts a model worker: JavaScript in the package, TypeScript in a checkout. */
export function spawnWorker(workerData: WorkerData): Worker {
  const name = 'whisper'
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./worker.js', import.meta.url), { workerData, name })
  }
  return new Worker(typeScriptStart(new URL('./worker.ts', import.meta.url)), { eval: true, workerData, name })
}

/** A new thread of Node 20 cannot read TypeScript: it first needs the loader that runs the checkout. */
function typeScriptStart(file: URL): string {
  const loader = import.meta.resolve('tsx/esm/api')
  return `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(file)}) })`
}
