/**
 * A test for one of the balancer's patterns: `*` stands for any number of characters, `?` for exactly one. Never
 * takes more than pattern length times text length steps, whatever a client sends.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  const firstWildcard = pattern.search(/[*?]/)
  if (firstWildcard === -1) return (text) => text === pattern
  if (firstWildcard === pattern.length - 1 && pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1)
    return (text) => text.startsWith(prefix)
  }
  return (text) => matchesWildcards(pattern, text)
}

/** Walks both texts; after a mismatch the last `*` takes one character more. */
function matchesWildcards(pattern: string, text: string): boolean {
  let inPattern = 0
  let inText = 0
  let afterStar = -1
  let starEnd = 0
  while (inText < text.length) {
    const wanted = pattern[inPattern]
    if (wanted === '*') {
      inPattern += 1
      afterStar = inPattern
      starEnd = inText
    } else if (wanted === '?' || wanted === text[inText]) {
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
  while (pattern[inPattern] === '*') inPattern += 1
  return inPattern === pattern.length
}
