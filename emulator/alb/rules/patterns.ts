export interface PatternOptions {
  /** Whether a backslash makes the character after it stand for itself. */
  readonly hasEscapes?: boolean
}

/**
 * A test for one of the balancer's patterns: `*` stands for any number of characters, `?` for exactly one. Never
 * takes more than pattern length times text length steps, whatever a client sends.
 */
export function compilePattern(
  pattern: string,
  { hasEscapes = false }: PatternOptions = {},
): (text: string) => boolean {
  const parts = partsOf(pattern, hasEscapes)
  const firstWildcard = parts.findIndex((part) => part < 0)
  const literal = String.fromCharCode(...parts.slice(0, firstWildcard === -1 ? parts.length : firstWildcard))
  if (firstWildcard === -1) return (text) => text === literal
  if (firstWildcard === parts.length - 1 && parts[firstWildcard] === ANY_NUMBER) {
    return (text) => text.startsWith(literal)
  }
  return (text) => matches(parts, text)
}

/** How many wildcards the pattern has. */
export function countWildcards(pattern: string, { hasEscapes = false }: PatternOptions = {}): number {
  return partsOf(pattern, hasEscapes).filter((part) => part < 0).length
}

/** In the place of character codes. */
const ANY_NUMBER = -1
const ANY_ONE = -2

function partsOf(pattern: string, hasEscapes: boolean): readonly number[] {
  const parts: number[] = []
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index]
    if (hasEscapes && character === '\\' && index + 1 < pattern.length) {
      index += 1
      parts.push(pattern.charCodeAt(index))
    } else if (character === '*') {
      parts.push(ANY_NUMBER)
    } else {
      parts.push(character === '?' ? ANY_ONE : pattern.charCodeAt(index))
    }
  }
  return parts
}

/** Walks both; after a mismatch the last `*` takes one character more. */
function matches(parts: readonly number[], text: string): boolean {
  let inPattern = 0
  let inText = 0
  let afterStar = -1
  let starEnd = 0
  while (inText < text.length) {
    const wanted = parts[inPattern]
    if (wanted === ANY_NUMBER) {
      inPattern += 1
      afterStar = inPattern
      starEnd = inText
    } else if (wanted === ANY_ONE || wanted === text.charCodeAt(inText)) {
      inPattern += 1
      inText += 1
    } else if (afterStar !== -1) {
      starEnd += 1
      inText = starEnd
      inPattern = afterStar
    } else {
      return false
    }
  }
  while (parts[inPattern] === ANY_NUMBER) inPattern += 1
  return inPattern === parts.length
}
