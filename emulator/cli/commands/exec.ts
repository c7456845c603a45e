import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { childEnvironment } from '../../config/child-environment.ts'
import { messageOf } from '../../core/errors.ts'
import { startEnvironment } from '../../start-environment.ts'
import type { CommandContext, Terminal } from '../command.ts'
import { describeEvent } from '../reporter/describe-event.ts'
import { watchSlowParts } from '../reporter/slow-parts.ts'
import { EXIT_CODES, nextSignal, stopUnlessAskedAgain } from '../signals.ts'
import { parseBackends, parseReplace, wantedSystem } from '../system-options.ts'

/** Runs a program beside a system of its own, of which nothing is left. The exit code is the program's. */
export async function run(context: CommandContext): Promise<number> {
  const { terminal, clock, options, settings } = context
  const line = (text: string): void => void terminal.stderr.write(`${text}\n`)
  const slow = watchSlowParts(clock, line)
  let askedToEnd: number | undefined
  void nextSignal().then((exitCode) => (askedToEnd = exitCode))

  const starting = startEnvironment({
    ...wantedSystem(context),
    backends: parseBackends(context),
    cacheDir: settings.cacheDir,
    replace: parseReplace(context),
    hasNetworkTargets: options['networkTargets'] === true,
    hasColdStarts: options['coldStarts'] === true,
    logLevel: options['verbose'] === true ? 'debug' : 'warn',
    clock,
    onEvent(event) {
      slow.event(event)
      const text = describeEvent(event)
      if (text !== undefined) line(text)
    },
  })
  const environment = await starting.finally(slow.end)
  try {
    // Our own commands, too, find the system.
    const variables = { ...environment.variables, ALDEA_STATE_DIR: environment.baseDir }
    return askedToEnd ?? (await runProgram(context.args, variables, terminal))
  } finally {
    await stopUnlessAskedAgain(environment)
  }
}

/** Of a program that cannot be started, as shells have it. */
const NOT_STARTED = { ENOENT: 127, other: 126 } as const
/** Of one that a signal has ended, as shells have it: added to the signal's number. */
const BY_SIGNAL = 128

/** Its input and output are ours. */
function runProgram(
  [command = '', ...args]: readonly string[],
  variables: Readonly<Record<string, string>>,
  { stdin, stderr }: Terminal,
): Promise<number> {
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: childEnvironment(variables),
    // There npm and its like are scripts of the shell.
    shell: process.platform === 'win32',
  })
  const pass = (signal: NodeJS.Signals): void => {
    // A terminal has told it already, and a second time means at once.
    if (signal !== 'SIGINT' || !stdin.isTTY) child.kill(signal)
  }
  const signals = Object.keys(EXIT_CODES)
  for (const signal of signals) process.on(signal, pass)
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? BY_SIGNAL + (signal ? constants.signals[signal] : 0)))
    child.once('error', (error: NodeJS.ErrnoException) => {
      stderr.write(`✖ ${command} cannot be started: ${messageOf(error)}\n`)
      resolve(error.code === 'ENOENT' ? NOT_STARTED.ENOENT : NOT_STARTED.other)
    })
  })
  return ended.finally(() => {
    for (const signal of signals) process.off(signal, pass)
  })
}
