/** Where a command prints: `process.stdout`, or anything that takes text. */
export interface Output {
  write(text: string): unknown
  /** A terminal, where a line may be rewritten. */
  readonly isTTY?: boolean
  /** Width of the terminal in cells; changes when it is resized. */
  readonly columns?: number
}
