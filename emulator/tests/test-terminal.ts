import { Writable } from 'node:stream'
import type { CommandContext } from '../cli/command.ts'

/** A terminal, as far as commands write to it, and what they wrote. */
export interface TestTerminal {
  readonly terminal: CommandContext['terminal']
  readonly out: string
  readonly err: string
}

export function testTerminal(): TestTerminal {
  const written = { out: '', err: '' }
  const collect = (name: 'out' | 'err'): NodeJS.WriteStream => {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written[name] += String(chunk)
        done()
      },
    })
    return stream as unknown as NodeJS.WriteStream
  }
  return {
    terminal: { stdin: process.stdin, stdout: collect('out'), stderr: collect('err') },
    get out() {
      return written.out
    },
    get err() {
      return written.err
    },
  }
}
