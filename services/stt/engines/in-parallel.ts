/** Maps in order of the results, at most `limit` at a time. The first failure fails the whole and starts no more. */
export async function mapInParallel<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  let hasFailed = false

  async function work(): Promise<void> {
    for (const [index, item] of queue) {
      if (hasFailed) return
      try {
        results[index] = await run(item)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
