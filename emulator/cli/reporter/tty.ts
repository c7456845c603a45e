import type { CommandContext } from '../command.ts'
import { describeEvent } from './describe-event.ts'
import { readyBlock } from './ready-block.ts'
import type { Reporter, Subject } from './reporter.ts'

const CLEAR_LINE = '\r\u001b[2K'
const GREEN_MARK = '\u001b[32m✔\u001b[0m'
/** Some terminals say that they have none. */
const UNKNOWN_COLUMNS = 80
/** Often enough to look alive, rarely enough to cost nothing. */
const REDRAW_MS = 100

/** For people: while parts start, one line shows which ones and for how long; then the ready block. */
export function createTtyReporter({ terminal, clock, settings }: CommandContext, subject: Subject): Reporter {
  const { stderr, stdout } = terminal
  const startedAt = clock.now()
  const since = new Map<string, number>()
  const activities = new Map<string, string>()
  let timer = clock.after(REDRAW_MS, redraw)

  return {
    event(event) {
      if (event.type === 'part.starting') {
        since.set(event.part, event.at)
        if (event.activity !== undefined) activities.set(event.part, ` (${event.activity})`)
      }
      if (event.type === 'part.ready' || event.type === 'part.failed') since.delete(event.part)
      const text = describeEvent(event)
      if (text !== undefined) stderr.write(`${CLEAR_LINE}${text}\n`)
    },
    started() {
      timer.cancel()
      stderr.write(CLEAR_LINE)
    },
    ready(environment) {
      const block = readyBlock(subject, environment, clock.now() - startedAt)
      stdout.write(settings.color ? block.replaceAll('✔', GREEN_MARK) : block)
    },
    stopped: () => void stderr.write(`${CLEAR_LINE}✔ stopped\n`),
  }

  function redraw(): void {
    const waiting = [...since].map(
      ([part, at]) => `${part}${activities.get(part) ?? ''} ${((clock.now() - at) / 1000).toFixed(1)} s`,
    )
    const text = `starting ${waiting.join(', ')}`
    stderr.write(`${CLEAR_LINE}${text.slice(0, (stderr.columns || UNKNOWN_COLUMNS) - 1)}`)
    timer = clock.after(REDRAW_MS, redraw)
  }
}
