import { Type } from 'typebox'

const DEFAULT_COUNT = 100
const MAX_COUNT = 1_000

/** Numbers in a query string are text, and nothing converts them. */
const Count = Type.String({ pattern: '^[1-9][0-9]{0,2}$|^1000$', description: `1 to ${MAX_COUNT}, else 100.` })

/** The query of a list: how many, and after which. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Count),
  after: Type.Optional(
    Type.String({ maxLength: 300, pattern: '^[^\\u0000-\\u001f]*$', description: '`next` of the page before.' }),
  ),
})

/** Present when there may be more. */
export const Next = Type.Optional(Type.String({ description: 'Ask with `after` set to this for the next page.' }))

export function countOf({ limit }: { readonly limit?: string | undefined }, otherwise = DEFAULT_COUNT): number {
  return limit === undefined ? otherwise : Number(limit)
}

/** The member `next` of an answer, when the page is full. */
export function nextOf<T>(
  page: readonly T[],
  count: number,
  cursorOf: (last: T) => string,
): { readonly next?: string } {
  const last = page.at(-1)
  return last !== undefined && page.length === count ? { next: cursorOf(last) } : {}
}
