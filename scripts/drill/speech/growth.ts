import type { HostUsage } from './hosted.ts'

/** The first part of the quiet points: caches fill, threads and their arenas come to their size. */
const WARM_UP_SHARE = 1 / 3
const MEBIBYTE = 1024 * 1024
/** What an allocator keeps differs by some 30 MiB from point to point; the more points, the less the line heeds it. */
const MOST_RSS_GROWTH_MIB = 30
const MORE_RSS_GROWTH_MIB_BY_POINTS = 200
const MOST_HEAP_GROWTH_MIB = 10
/** Pools of connections to databases and speech servers are now larger, now smaller. */
const MOST_MORE_RESOURCES = 10

/** What grew from the first quiet point after the warm-up to the last, along the straight line that fits best. */
export function growthFaults(points: readonly HostUsage[]): string[] {
  const warm = points.slice(Math.floor(points.length * WARM_UP_SHARE))
  const rss = growthOf(warm.map(({ rssBytes }) => rssBytes / MEBIBYTE))
  const most = MOST_RSS_GROWTH_MIB + MORE_RSS_GROWTH_MIB_BY_POINTS / warm.length
  const heap = growthOf(warm.map(({ heapBytes }) => heapBytes / MEBIBYTE))
  return [
    ...(rss > most ? [`memory grew by ${rss.toFixed(0)} MiB`] : []),
    ...(heap > MOST_HEAP_GROWTH_MIB ? [`the heap grew by ${heap.toFixed(0)} MiB`] : []),
    ...moreResources(warm),
  ]
}

/** Least squares: slope times length. */
export function growthOf(values: readonly number[]): number {
  const last = values.length - 1
  if (last < 1) return 0
  const meanPlace = last / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let [both, square] = [0, 0]
  for (const [place, value] of values.entries()) {
    both += (place - meanPlace) * (value - mean)
    square += (place - meanPlace) ** 2
  }
  return (both / square) * last
}

function moreResources(points: readonly HostUsage[]): string[] {
  const [first, last] = [points[0]?.resources ?? {}, points.at(-1)?.resources ?? {}]
  return Object.entries(last).flatMap(([name, count]) => {
    const before = first[name] ?? 0
    return count > before + MOST_MORE_RESOURCES ? [`${before} ${name} have become ${count}`] : []
  })
}
