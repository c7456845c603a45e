import type { Parsed } from './parse.ts'
import { type Assertion, LAST_CODE, type Node, type Range, complementOf } from './syntax.ts'

/** One step of a program; the next one follows it unless it says otherwise. */
export type Instruction =
  | { readonly op: 'characters'; readonly set: CharacterSet }
  | { readonly op: 'assertion'; readonly assertion: Assertion }
  /** Notes the place in the text: `2 × group` where it begins, one more where it ends. */
  | { readonly op: 'save'; readonly slot: number }
  /** Goes on at both places; the first has precedence. */
  | { readonly op: 'split'; readonly first: number; readonly second: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'match' }

/** Bytes, which is what heads of HTTP consist of, are looked up; what is beyond is one. */
export interface CharacterSet {
  readonly bytes: Uint8Array
  readonly hasOthers: boolean
}

export interface Program {
  readonly instructions: readonly Instruction[]
  readonly groups: number
}

export interface ProgramOptions {
  readonly ignoresCase: boolean
  /** Whether it says where groups are; without, it only says whether there is a match. */
  readonly captures: boolean
}

/** Bounds what one character of a text costs. */
const MAX_INSTRUCTIONS = 2_000

/**
 * Turns a parsed regular expression into steps for a machine that tries all ways at once.
 * @throws SyntaxError when its counts would make too many of them.
 */
export function toProgram({ node, groups }: Parsed, { ignoresCase, captures }: ProgramOptions): Program {
  const instructions: Instruction[] = []
  emitSaved(node, 0)
  emit({ op: 'match' })
  return { instructions, groups }

  function emit(instruction: Instruction): number {
    if (instructions.length >= MAX_INSTRUCTIONS) throw new SyntaxError('it is too large')
    return instructions.push(instruction) - 1
  }

  function emitNode(each: Node): void {
    switch (each.kind) {
      case 'empty':
        return
      case 'characters':
        emit({ op: 'characters', set: toSet(each.isNegated, each.ranges, ignoresCase) })
        return
      case 'assertion':
        emit({ op: 'assertion', assertion: each.assertion })
        return
      case 'sequence':
        for (const inner of each.nodes) emitNode(inner)
        return
      case 'group':
        return emitSaved(each.node, each.index)
      case 'alternatives':
        return emitAlternatives(each.nodes)
      case 'repetition':
        return emitRepetition(each)
    }
  }

  function emitSaved(inner: Node, group: number): void {
    if (captures) emit({ op: 'save', slot: 2 * group })
    emitNode(inner)
    if (captures) emit({ op: 'save', slot: 2 * group + 1 })
  }

  function emitAlternatives(nodes: readonly Node[]): void {
    const ends: number[] = []
    for (const [index, each] of nodes.entries()) {
      if (index === nodes.length - 1) {
        emitNode(each)
        continue
      }
      const split = emit({ op: 'match' })
      emitNode(each)
      ends.push(emit({ op: 'match' }))
      instructions[split] = { op: 'split', first: split + 1, second: instructions.length }
    }
    for (const end of ends) instructions[end] = { op: 'jump', to: instructions.length }
  }

  function emitRepetition({ node: inner, times, isLazy }: Extract<Node, { kind: 'repetition' }>): void {
    for (let count = 0; count < times.min; count += 1) emitNode(inner)
    const splits: number[] = []
    if (times.max === Infinity) {
      const split = emit({ op: 'match' })
      splits.push(split)
      emitNode(inner)
      emit({ op: 'jump', to: split })
    } else {
      for (let count = times.min; count < times.max; count += 1) {
        splits.push(emit({ op: 'match' }))
        emitNode(inner)
      }
    }
    const after = instructions.length
    for (const split of splits) {
      const [first, second] = isLazy ? [after, split + 1] : [split + 1, after]
      instructions[split] = { op: 'split', first, second }
    }
  }
}

function toSet(isNegated: boolean, ranges: readonly Range[], ignoresCase: boolean): CharacterSet {
  const wide = ignoresCase ? [...ranges, ...ranges.flatMap(otherCaseOf)] : ranges
  const wanted = isNegated ? complementOf(wide) : wide
  const bytes = new Uint8Array(256)
  for (const { from, to } of wanted) bytes.fill(1, from, Math.min(to + 1, bytes.length))
  return { bytes, hasOthers: wanted.some(({ to }) => to === LAST_CODE) }
}

const CASE_DISTANCE = 32

/** The same letters in their other case. */
function otherCaseOf({ from, to }: Range): Range[] {
  const others: Range[] = []
  for (const [first, last, shift] of [
    [65, 90, CASE_DISTANCE],
    [97, 122, -CASE_DISTANCE],
  ] as const) {
    const low = Math.max(from, first)
    const high = Math.min(to, last)
    if (low <= high) others.push({ from: low + shift, to: high + shift })
  }
  return others
}
