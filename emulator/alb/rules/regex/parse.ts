import { type Character, type Reader, createReader, readEscape, readSet } from './characters.ts'
import { LINE_END, type Node, type Times } from './syntax.ts'

export interface Parsed {
  readonly node: Node
  readonly groups: number
}

/** As RE2 has it: more would only be a long way to write a large program. */
const MAX_REPETITIONS = 1000

/** Deeper nesting than anybody writes, and far from the end of the stack. */
const MAX_DEPTH = 100

/**
 * Reads a regular expression with what AWS's rules allow: everything usual except lookaheads, lookbehinds,
 * backreferences, atomic groups, possessive quantifiers, subroutines, recursion and Unicode classes.
 * @throws SyntaxError saying what is wrong.
 */
export function parseRegex(source: string): Parsed {
  const reader = createReader(source)
  let groups = 0
  let depth = 0
  const whole = readAlternatives()
  if (!reader.atEnd()) throw new SyntaxError('unmatched )')
  return { node: whole, groups }

  function readAlternatives(): Node {
    depth += 1
    if (depth > MAX_DEPTH) throw new SyntaxError(`groups are nested more than ${MAX_DEPTH} deep`)
    const nodes = [readSequence()]
    while (reader.take('|')) nodes.push(readSequence())
    depth -= 1
    return nodes.length === 1 ? (nodes[0] ?? { kind: 'empty' }) : { kind: 'alternatives', nodes }
  }

  function readSequence(): Node {
    const nodes: Node[] = []
    while (!reader.atEnd() && !reader.sees('|') && !reader.sees(')')) nodes.push(readRepeated())
    return nodes.length === 0 ? { kind: 'empty' } : { kind: 'sequence', nodes }
  }

  function readRepeated(): Node {
    const node = readAtom()
    const times = readTimes(reader)
    if (!times) return node
    const isLazy = reader.take('?')
    if (reader.take('+')) throw new SyntaxError('possessive quantifiers are not supported')
    if (reader.sees('*') || reader.sees('?') || /^\{\d+(,\d*)?\}/.test(reader.rest())) {
      throw new SyntaxError('nothing to repeat')
    }
    return { kind: 'repetition', node, times, isLazy }
  }

  function readAtom(): Node {
    if (reader.take('(')) return readGroup()
    if (reader.take('[')) return { kind: 'characters', ...readSet(reader) }
    if (reader.take('.')) return { kind: 'characters', ranges: LINE_END, isNegated: true }
    if (reader.take('^')) return { kind: 'assertion', assertion: 'start' }
    if (reader.take('$')) return { kind: 'assertion', assertion: 'end' }
    if (reader.take('\\')) return readEscaped()
    if (reader.sees('*') || reader.sees('+') || reader.sees('?')) throw new SyntaxError('nothing to repeat')
    return toNode({ code: reader.next().charCodeAt(0) })
  }

  function readEscaped(): Node {
    if (reader.take('b')) return { kind: 'assertion', assertion: 'word-boundary' }
    if (reader.take('B')) return { kind: 'assertion', assertion: 'no-word-boundary' }
    if (reader.take('A')) return { kind: 'assertion', assertion: 'start' }
    if (reader.take('z')) return { kind: 'assertion', assertion: 'end' }
    return toNode(readEscape(reader))
  }

  function readGroup(): Node {
    const isCapturing = readsCapture(reader)
    if (isCapturing) groups += 1
    const index = groups
    const node = readAlternatives()
    if (!reader.take(')')) throw new SyntaxError('missing )')
    return isCapturing ? { kind: 'group', node, index } : node
  }
}

function toNode(character: Character): Node {
  if ('ranges' in character) return { kind: 'characters', ranges: character.ranges, isNegated: false }
  return { kind: 'characters', ranges: [{ from: character.code, to: character.code }], isNegated: false }
}

/** Reads what follows `(`: whether the group captures. Names are read over, because replacements use numbers. */
function readsCapture(reader: Reader): boolean {
  if (!reader.take('?')) return true
  if (reader.take(':')) return false
  const name = /^P?<[A-Za-z_]\w*>/.exec(reader.rest())
  if (!name) throw new SyntaxError(`(?${reader.rest().slice(0, 2)} is not supported`)
  reader.skip(name[0].length)
  return true
}

function readTimes(reader: Reader): Times | undefined {
  if (reader.take('*')) return { min: 0, max: Infinity }
  if (reader.take('+')) return { min: 1, max: Infinity }
  if (reader.take('?')) return { min: 0, max: 1 }
  // A brace that begins no count stands for itself.
  const braces = /^\{(\d+)(?:(,)(\d*))?\}/.exec(reader.rest())
  if (!braces) return undefined
  reader.skip(braces[0].length)
  const min = Number(braces[1])
  const max = braces[2] === undefined ? min : braces[3] === '' ? Infinity : Number(braces[3])
  if (min > max) throw new SyntaxError(`${braces[0]} is out of order`)
  if (Math.max(min, max === Infinity ? 0 : max) > MAX_REPETITIONS) {
    throw new SyntaxError(`${braces[0]} is more than ${MAX_REPETITIONS} repetitions`)
  }
  return { min, max }
}
