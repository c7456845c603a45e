/** How far a seeding has come: organisations are copied in the order of their ids, then Redis is swept. */
export type Place =
  | { readonly phase: 'copy'; readonly after: string }
  | { readonly phase: 'sweep'; readonly cursor: string }

const SWEEP = 'sweep:'

/** Undefined is the beginning. No id has a colon, so the two cannot be mistaken. */
export function parsePlace(text: string | undefined): Place {
  if (text?.startsWith(SWEEP)) return { phase: 'sweep', cursor: text.slice(SWEEP.length) }
  return { phase: 'copy', after: text ?? '' }
}

export function formatPlace(place: Place): string {
  return place.phase === 'sweep' ? `${SWEEP}${place.cursor}` : place.after
}
