import type { CommandContext } from '../command.ts'
import { describeEvent } from './describe-event.ts'
import { readyBlock } from './ready-block.ts'
import type { Reporter, Subject } from './reporter.ts'
import { watchSlowParts } from './slow-parts.ts'

/** For logs and pipes: no colour, no cursor movement, one line per thing worth knowing, then the ready block. */
export function createPlainReporter({ terminal, clock }: CommandContext, subject: Subject): Reporter {
  const startedAt = clock.now()
  const line = (text: string): void => void terminal.stderr.write(`${text}\n`)
  const slow = watchSlowParts(clock, line)

  return {
    event(event) {
      slow.event(event)
      const text = describeEvent(event)
      if (text !== undefined) line(text)
    },
    started: slow.end,
    ready: (environment) => void terminal.stdout.write(readyBlock(subject, environment, clock.now() - startedAt)),
    stopped: () => line('✔ stopped'),
  }
}
