import type { Assertion } from './syntax.ts'
import type { Program } from './program.ts'

/** The ways in which a program may go on from one place of the text, in the order of their precedence. */
export interface Threads {
  clear(): void
  size(): number
  /** The instruction that the thread waits at: `characters` or `match`. */
  placeAt(index: number): number
  savedAt(index: number): readonly number[]
  /** Adds every place that is reached from `place` without a character, unless it is there already. */
  add(place: number, text: string, at: number, saved: readonly number[] | undefined): void
}

/** The largest number of a round that fits where it is noted. */
const LAST_ROUND = 0xffff_ffff

export function createThreads({ instructions, groups }: Program): Threads {
  const places = new Uint32Array(instructions.length)
  const allSaved: (readonly number[])[] = []
  /** Instruction by instruction, in which round it was added last. */
  const addedIn = new Uint32Array(instructions.length)
  const none: readonly number[] = Array.from({ length: 2 * (groups + 1) }, () => -1)
  let round = 1
  let count = 0

  /** The path without a choice is a loop, so that only as many calls nest as the pattern has open choices. */
  function add(start: number, text: string, at: number, savedBefore: readonly number[]): void {
    let saved = savedBefore
    let place = start
    for (;;) {
      if (addedIn[place] === round) return
      addedIn[place] = round
      const instruction = instructions[place]
      if (!instruction) return
      switch (instruction.op) {
        case 'characters':
        case 'match':
          places[count] = place
          allSaved[count] = saved
          count += 1
          return
        case 'jump':
          place = instruction.to
          break
        case 'save':
          saved = saved.with(instruction.slot, at)
          place += 1
          break
        case 'assertion':
          if (!holds(instruction.assertion, text, at)) return
          place += 1
          break
        case 'split':
          add(instruction.first, text, at, saved)
          place = instruction.second
          break
      }
    }
  }

  return {
    clear() {
      count = 0
      round += 1
      if (round <= LAST_ROUND) return
      addedIn.fill(0)
      round = 1
    },
    size: () => count,
    placeAt: (index) => places[index] ?? 0,
    savedAt: (index) => allSaved[index] ?? none,
    add: (place, text, at, saved) => add(place, text, at, saved ?? none),
  }
}

function holds(assertion: Assertion, text: string, at: number): boolean {
  switch (assertion) {
    case 'start':
      return at === 0
    case 'end':
      return at === text.length
    case 'word-boundary':
      return isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at))
    case 'no-word-boundary':
      return isWord(text.charCodeAt(at - 1)) === isWord(text.charCodeAt(at))
  }
}

/** NaN, which is what lies outside the text, is no word character. */
function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
}
