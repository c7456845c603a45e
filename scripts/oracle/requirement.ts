/** One line of the result. */
export interface Requirement {
  readonly what: string
  readonly isMet: boolean
  readonly found: string
}
