import type { Environment } from '../../core/environment.ts'
import { firstRequest } from './first-request.ts'
import type { Subject } from './reporter.ts'

/** What runs where, the demo key, and the first thing to try. */
export function readyBlock({ system, topology }: Subject, environment: Environment, tookMs: number): string {
  const { profile, hosts, demo } = topology
  const parts = environment.events.of('part.ready').map(({ part, detail }) => ({ part, detail }))
  const names = [...hosts.flatMap(({ name, twin }) => [name, twin]), ...parts.map(({ part }) => part)]
  const width = Math.max(...names.map((name) => name.length)) + 2
  const about = system.profiles.find(({ name }) => name === profile)?.summary ?? ''

  return [
    `${system.summary}, stage ${topology.stage}, profile ${profile} (${about})`,
    '',
    ...inOrderOf(topology, parts).map(({ part, detail }) => `✔ ${part.padEnd(width)}${detail}`),
    '',
    ...hosts.map(({ name, twin, purpose }) => `  ${name.padEnd(width)}${twin.padEnd(width)}${purpose}`),
    '',
    `  key ${demo.key}`,
    `  try ${firstRequest(environment.url, demo)}`,
    '',
    `✔ ready in ${(tookMs / 1000).toFixed(1)} s at ${environment.url}; Ctrl-C stops, data is kept`,
    '',
  ].join('\n')
}

/** Parts get ready side by side; a list that stays the same is easier to read. */
function inOrderOf(
  { backends, services, functions }: Subject['topology'],
  parts: readonly { readonly part: string; readonly detail: string }[],
): readonly { readonly part: string; readonly detail: string }[] {
  const order = [...backends, ...services, ...functions].map(({ name }) => name)
  return parts.toSorted((a, b) => order.indexOf(a.part) - order.indexOf(b.part))
}
