import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command as Program } from 'commander'
import { packageRoot } from '../../services/wire/package-root.ts'
import type { Command, CommandContext } from './command.ts'
import { commands } from './commands.ts'

type Surroundings = Omit<CommandContext, 'args' | 'options'>

/** Builds the parser from the command table. Errors of usage are thrown, never printed and exited on the spot. */
export function buildProgram(surroundings: Surroundings, finish: (exitCode: number) => void): Program {
  const program = new Program('aldea-local')
    .description('Run a whole cloud speech-to-text system on this machine.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.terminal.stdout.write(text),
      writeErr: (text) => surroundings.terminal.stderr.write(text),
    })
    .showSuggestionAfterError()

  for (const command of commands) addCommand(program, command, surroundings, finish)
  return program
}

function addCommand(
  program: Program,
  command: Command,
  surroundings: Surroundings,
  finish: (exitCode: number) => void,
): void {
  const [first = '', second] = command.name.split(' ')
  const parent = second === undefined ? program : groupOf(program, first)
  const parser = parent.command(second ?? first).description(command.summary)
  for (const { name, description } of command.args) parser.argument(name, description)
  for (const { flags, description, default: value } of command.options) parser.option(flags, description, value)
  parser.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`)
  parser.action(async () => {
    const { run } = await command.load()
    finish(await run({ ...surroundings, args: parser.args, options: parser.opts() }))
  })
}

function groupOf(program: Program, name: string): Program {
  const known = program.commands.find((each) => each.name() === name)
  return known ?? program.command(name).description(`Commands about ${name}`)
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
