import { CommanderError } from 'commander'
import { catalogue, isAldeaError, messageOf } from '../core/errors.ts'

export interface Described {
  /** Empty when the parser has said it already. */
  readonly text: string
  readonly exitCode: number
}

/** What the user sees of an error: what happened, its code, what to type next. Only bugs show a stack. */
export function describeError(error: unknown, { color }: { color: boolean }): Described {
  if (error instanceof CommanderError) {
    return { text: '', exitCode: error.exitCode === 0 ? 0 : catalogue.ALDEA_USAGE.exit }
  }
  const mark = color ? '\u001b[31m✖\u001b[0m' : '✖'
  if (!isAldeaError(error)) {
    const stack = error instanceof Error ? (error.stack ?? '') : ''
    return { text: `${mark} ${messageOf(error)}  ALDEA_INTERNAL\n${stack}`, exitCode: catalogue.ALDEA_INTERNAL.exit }
  }
  const hint = error.hint === undefined ? '' : `\n\n  Try   ${error.hint}`
  return { text: `${mark} ${error.message}  ${error.code}${hint}`, exitCode: catalogue[error.code].exit }
}
