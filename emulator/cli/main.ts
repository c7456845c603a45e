#!/usr/bin/env node
import { systemClock } from '../../services/wire/clock.ts'
import { loadSettings } from '../config/settings.ts'
import { describeError } from './describe-error.ts'
import { buildProgram } from './program.ts'

// The AWS SDK would tell every user on standard error that some day it will want a newer Node; it has no option for it.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

const terminal = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr }
const settings = loadSettings()

// A reader that leaves early, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  const program = buildProgram({ settings, terminal, clock: systemClock }, (exitCode) => {
    process.exitCode = exitCode
  })
  await program.parseAsync(process.argv)
} catch (error) {
  const { text, exitCode } = describeError(error, { color: settings.color && process.stderr.isTTY })
  if (text !== '') process.stderr.write(`${text}\n`)
  process.exitCode = exitCode
}
