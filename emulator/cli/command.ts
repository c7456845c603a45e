import type { Clock } from '../../services/wire/clock.ts'
import type { Settings } from '../config/settings.ts'

/** A command as data; the parser and `--help` are built from it. */
export interface Command {
  /** One or two words: `start`, `keys create`. */
  readonly name: string
  readonly summary: string
  readonly args: readonly Argument[]
  readonly options: readonly Option[]
  /** Lines a user can paste. */
  readonly examples: readonly string[]
  /** Loaded only when the command runs, so that `--help` stays fast. */
  load(): Promise<{ run: Run }>
}

export interface Argument {
  readonly name: string
  readonly description: string
}

export interface Option {
  /** Commander's form: `--port <number>`. */
  readonly flags: string
  readonly description: string
  readonly default?: string
}

/** Does the work; resolves with the exit code. */
export type Run = (context: CommandContext) => Promise<number>

export interface CommandContext {
  readonly args: readonly string[]
  /** Values by long option name in camel case; a flag without a value is `true`, one that takes several is a list. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly settings: Settings
  readonly terminal: Terminal
  readonly clock: Clock
}

/** Data goes to `stdout`, everything else to `stderr`. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** A string option, or undefined when it was not given. */
export function textOption({ options }: CommandContext, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}
