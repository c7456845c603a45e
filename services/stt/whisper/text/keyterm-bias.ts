import type { Encode } from './byte-pairs.ts'

/** Makes the client's own terms likelier where they fit. */
export interface KeytermBias {
  /** Raises the logits of tokens that begin a term, or go on with one. `logits` is changed. */
  apply(logits: Float32Array, chosen: readonly number[]): void
}

// In natural logarithms. A term needs something of its sound to begin; once begun, its rest is nearly certain.
const BEGIN_BONUS = 2
const CONTINUE_BONUS = 4

interface Node {
  readonly next: Map<number, Node>
}

/** A trie of the terms as they stand inside a sentence, and with a capital at its beginning. */
export function createKeytermBias(terms: readonly string[], encode: Encode): KeytermBias {
  const root: Node = { next: new Map() }
  for (const term of terms) {
    for (const form of new Set([term, term.charAt(0).toUpperCase() + term.slice(1)])) add(root, encode(` ${form}`))
  }

  return {
    apply(logits, chosen) {
      const raised = new Map<number, number>()
      for (const token of root.next.keys()) raised.set(token, BEGIN_BONUS)
      for (const node of openNodes(root, chosen))
        for (const token of node.next.keys()) raised.set(token, CONTINUE_BONUS)
      for (const [token, bonus] of raised) logits[token] = (logits[token] ?? 0) + bonus
    },
  }
}

function add(root: Node, tokens: readonly number[]): void {
  let node = root
  for (const token of tokens) {
    const next = node.next.get(token) ?? { next: new Map<number, Node>() }
    node.next.set(token, next)
    node = next
  }
}

/** Where in the trie one is after each ending of the text that begins a term. */
function openNodes(root: Node, chosen: readonly number[]): Node[] {
  let open: Node[] = []
  for (const token of chosen) {
    open = [...open, root].flatMap((node) => node.next.get(token) ?? [])
  }
  return open
}
