/** A word as it counts when words are compared; empty for a sign by itself. */
export function plainWord(word: string): string {
  return word.toLowerCase().replaceAll(/[^\p{L}\p{N}'’]/gu, '')
}
