import type { Environment } from '../core/environment.ts'

/** What a process is asked to end by, and its exit codes then. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** The exit code of the first signal. Listening starts now: a signal during the start stops right after it. */
export function nextSignal(): Promise<number> {
  return new Promise((resolve) => {
    // Not `once`: a library that ends the process when nobody else listens would find nobody.
    for (const [signal, exitCode] of Object.entries(EXIT_CODES)) process.on(signal, () => resolve(exitCode))
  })
}

/**
 * A second signal while stopping ends the process at once, as if nobody listened; children die with it. `process.exit`
 * would end threads inside the inference library, which aborts the process.
 */
export async function stopUnlessAskedAgain({ stop }: Pick<Environment, 'stop'>): Promise<void> {
  for (const signal of Object.keys(EXIT_CODES)) {
    process.once(signal, () => {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  }
  await stop()
}
