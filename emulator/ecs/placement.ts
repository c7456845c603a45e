/**
 * The zone of one more task of a service: the one with the fewest of them (aws-behaviour §4.3), the first one among
 * equals, where AWS leaves the choice open.
 * @throws Error when there is no zone
 */
export function placeTask(zones: readonly string[], present: readonly { readonly zone: string }[]): string {
  const countIn = (zone: string): number => present.filter((task) => task.zone === zone).length
  const [first, ...others] = zones
  if (first === undefined) throw new Error('A task needs a zone.')
  return others.reduce((best, zone) => (countIn(zone) < countIn(best) ? zone : best), first)
}

/** Zones of `count` tasks that start together. */
export function placeTasks(zones: readonly string[], count: number): readonly string[] {
  const placed: { zone: string }[] = []
  while (placed.length < count) placed.push({ zone: placeTask(zones, placed) })
  return placed.map(({ zone }) => zone)
}
