/** What an adapter says when asked whether it can run here. */
export type Available = { readonly available: true; readonly what: string }
export type Declined = {
  readonly available: false
  /** A sentence for the user. */
  readonly reason: string
  /** What to type so that it can. */
  readonly hint?: string
}
