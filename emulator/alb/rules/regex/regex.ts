import { parseRegex } from './parse.ts'
import { type Program, toProgram } from './program.ts'
import { type Threads, createThreads } from './threads.ts'

export interface RegexOptions {
  readonly ignoresCase: boolean
}

/**
 * Compiles a regular expression into a test for a match anywhere in a text. A machine without backtracking runs it, as
 * in RE2: never more steps than its own length times the text's, so that a pattern that would keep a usual engine busy
 * for years costs no more than another one.
 * @throws SyntaxError saying what is wrong or not supported.
 */
export function compileRegexTest(source: string, { ignoresCase }: RegexOptions): (text: string) => boolean {
  const program = toProgram(parseRegex(source), { ignoresCase, captures: false })
  const find = createFinder(program)
  return (text) => find(text, 0) !== undefined
}

/**
 * Compiles a replacement of every match; `$1` to `$9` stand for groups, `$0` for all of the match and `$$` for `$`.
 * The result is undefined when there is no match.
 * @throws SyntaxError as above.
 */
export function compileReplacement(
  source: string,
  replacement: string,
  { ignoresCase }: RegexOptions,
): (text: string) => string | undefined {
  const find = createFinder(toProgram(parseRegex(source), { ignoresCase, captures: true }))

  return (text) => {
    let replaced = ''
    let copied = 0
    let from = 0
    let isChanged = false
    while (from <= text.length) {
      const saved = find(text, from)
      if (!saved) break
      const [start = 0, end = 0] = saved
      replaced += text.slice(copied, start) + expand(replacement, text, saved)
      copied = end
      // Past an empty match it goes on one character later.
      from = end > start ? end : end + 1
      isChanged = true
    }
    return isChanged ? replaced + text.slice(copied) : undefined
  }
}

/** Where groups begin and end, -1 where they took no part. */
type Saved = readonly number[]

/** Finds the first match at or after a place: the leftmost one, of those the one that the pattern prefers. */
function createFinder(program: Program): (text: string, from: number) => Saved | undefined {
  let now = createThreads(program)
  let next = createThreads(program)

  return (text, from) => {
    let found: Saved | undefined
    now.clear()
    for (let at = from; at <= text.length; at += 1) {
      if (!found) now.add(0, text, at, undefined)
      if (now.size() === 0) break
      next.clear()
      found = step(program, { now, next }, text, at) ?? found
      const spent = now
      now = next
      next = spent
    }
    return found
  }
}

/** Takes every thread one character further, up to the first that has a match: the others are of less precedence. */
function step(
  { instructions }: Program,
  { now, next }: { now: Threads; next: Threads },
  text: string,
  at: number,
): Saved | undefined {
  const code = text.charCodeAt(at)
  const isInside = at < text.length
  for (let index = 0; index < now.size(); index += 1) {
    const place = now.placeAt(index)
    const instruction = instructions[place]
    if (instruction?.op === 'match') return now.savedAt(index)
    if (instruction?.op !== 'characters' || !isInside) continue
    const { bytes, hasOthers } = instruction.set
    const takes = code < bytes.length ? bytes[code] === 1 : hasOthers
    if (takes) next.add(place + 1, text, at + 1, now.savedAt(index))
  }
  return undefined
}

function expand(replacement: string, text: string, saved: Saved): string {
  return replacement.replaceAll(/\$(\d|\$)/g, (whole, group: string) => {
    if (group === '$') return '$'
    const start = saved[2 * Number(group)]
    const end = saved[2 * Number(group) + 1]
    // A group that the pattern does not have is no group.
    if (start === undefined || end === undefined) return whole
    return start === -1 || end === -1 ? '' : text.slice(start, end)
  })
}
