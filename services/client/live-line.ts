import { toLine } from './one-line.ts'
import { cutToWidth } from './display-width.ts'
import type { Output } from './output.ts'

/** Words as they come: one line that is rewritten on a terminal, and only finished lines elsewhere. */
export interface LiveLine {
  /** Shows words that may still change. */
  interim(text: string): void
  /** Prints words that will not change. */
  final(text: string): void
  /** Takes away what is still in place. */
  end(): void
}

const CLEAR_LINE = '\r\u001B[K'
/** For terminals that do not tell their width. */
const DEFAULT_COLUMNS = 80

export function createLiveLine(out: Output): LiveLine {
  let isShown = false

  function clear(): void {
    if (isShown) out.write(CLEAR_LINE)
    isShown = false
  }

  return {
    interim(text) {
      if (!out.isTTY) return
      // A line as wide as the terminal would wrap when the cursor moves on.
      const cells = (out.columns ?? DEFAULT_COLUMNS) - 1
      out.write(CLEAR_LINE + cutToWidth(toLine(text), cells))
      isShown = true
    },
    final(text) {
      clear()
      const line = toLine(text)
      if (line) out.write(`${line}\n`)
    },
    end: clear,
  }
}
