import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Clock } from '../../wire/clock.ts'
import { packageRoot, runsFromSource } from '../../wire/package-root.ts'
import type { Trial } from './choose-device.ts'
import type { Gpu } from './device.ts'
import { plainReason } from './plain-reason.ts'

/** A GPU needs a second or two, most of it for compiling shaders; software that plays one may need minutes. */
const DEADLINE_MS = 30_000

/** Enough of what a library printed to find its reason in. */
const MAX_PRINTED_CHARS = 16_384

const PROGRAM = 'services/stt/devices/trial-worker'

export interface TrialOptions {
  readonly modelDir: string
  readonly device: Gpu
  readonly threads: number
  /** Real time: a GPU takes its time also where the emulated world's clock stands still. */
  readonly clock: Pick<Clock, 'after'>
}

/** Tries a GPU out in a process of its own, which may print, crash or hang. Never rejects. */
export function runTrial({ modelDir, device, threads, clock }: TrialOptions): Promise<Trial> {
  return new Promise((resolve) => {
    const child = fork(program(), [modelDir, device, String(threads)], {
      execArgv: runsFromSource ? ['--import', import.meta.resolve('tsx')] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let printed = ''
    let trial: Trial | undefined
    let isLate = false
    const deadline = clock.after(DEADLINE_MS, () => {
      isLate = true
      child.kill('SIGKILL')
    })
    child.stderr?.on('data', (text: Buffer) => {
      printed = (printed + text.toString()).slice(-MAX_PRINTED_CHARS)
    })
    child.on('message', (message) => {
      // Only the program beside this file speaks here.
      trial = message as Trial
    })
    child.on('error', (error) => settle({ works: false, reason: error.message }))
    child.on('close', (code, signal) => {
      if (isLate) return settle({ works: false, reason: `it took longer than ${DEADLINE_MS / 1000} s` })
      const ended = signal === null ? `with code ${code}` : `by ${signal}`
      settle(trial ?? { works: false, reason: `the process that tried it ended ${ended}` })
    })

    function settle(result: Trial): void {
      deadline.cancel()
      resolve(result.works ? result : { works: false, reason: plainReason(result.reason, printed) })
    }
  })
}

function program(): string {
  return runsFromSource ? join(packageRoot, `${PROGRAM}.ts`) : join(packageRoot, 'dist', `${PROGRAM}.js`)
}
