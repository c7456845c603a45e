import { ACCOUNT_ID } from '../../backends/queue/port.ts'
import type { Topology } from '../system.ts'

/** URL of every queue, those for dead letters included, by name. */
export function queueUrlsOf({ backends }: Topology, awsEndpoint: string): Record<string, string> {
  const names = backends
    .flatMap((backend) => (backend.kind === 'queue' ? backend.queues : []))
    .flatMap(({ name, deadLetterQueue }) => (deadLetterQueue ? [name, deadLetterQueue.name] : [name]))
  return Object.fromEntries(names.map((name) => [name, queueUrl(awsEndpoint, name)]))
}

export function queueUrl(awsEndpoint: string, queue: string): string {
  return `${awsEndpoint}/${ACCOUNT_ID}/${queue}`
}
