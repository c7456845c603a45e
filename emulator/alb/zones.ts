import type { Clock } from '../../services/wire/clock.ts'

/** The balancer's zones, each with one node of it; a node is known by its zone's index. */
export interface Zones {
  readonly names: readonly string[]
  /** A lost zone is silent: its node answers nobody, and nothing reaches the targets in it. */
  isLost(zone: string): boolean
  /** @throws Error for a zone that is not the balancer's */
  lose(zone: string): void
  /** @throws Error for a zone that is not the balancer's */
  restore(zone: string): void
  /** A target group has targets in the zone, and none of them is healthy; or that is over. */
  setIll(zone: string, targetGroup: string, isIll: boolean): void
  /** Whether a client that asks for the balancer's name is told the node's address. */
  isInDns(node: number): boolean
}

/** How long clients go on to use the address of a node that has left DNS (aws-behaviour §1.8). */
const DNS_TTL_MS = 60_000

export function createZones(names: readonly string[], clock: Pick<Clock, 'now'>): Zones {
  const lostAt = new Map<string, number>()
  /** By zone and target group: `dns_failover` of AWS's default, fewer than one healthy target. */
  const illAt = new Map(names.map((zone) => [zone, new Map<string, number>()]))

  function assertKnown(zone: string): void {
    if (!names.includes(zone)) throw new Error(`The balancer has no node in ${zone}, but in ${names.join(', ')}.`)
  }

  function hasLeftDns(zone: string): boolean {
    const since = [lostAt.get(zone) ?? Infinity, ...(illAt.get(zone)?.values() ?? [])]
    return clock.now() >= Math.min(...since) + DNS_TTL_MS
  }

  return {
    names,
    isLost: (zone) => lostAt.has(zone),
    lose(zone) {
      assertKnown(zone)
      if (!lostAt.has(zone)) lostAt.set(zone, clock.now())
    },
    restore(zone) {
      assertKnown(zone)
      lostAt.delete(zone)
    },
    setIll(zone, targetGroup, isIll) {
      const groups = illAt.get(zone)
      if (!isIll) groups?.delete(targetGroup)
      else if (groups?.has(targetGroup) === false) groups.set(targetGroup, clock.now())
    },
    isInDns(node) {
      // When none is left, DNS names them all.
      return !hasLeftDns(names[node] ?? '') || names.every(hasLeftDns)
    },
  }
}

/** Nodes for the connections of one listener: those in DNS in turn, as clients spread over the addresses of a name. */
export function createNodeTurn({ names, isInDns }: Zones): () => number {
  let turn = 0
  return () => {
    let node = turn
    while (!isInDns(node)) node = (node + 1) % names.length
    turn = (node + 1) % names.length
    return node
  }
}
