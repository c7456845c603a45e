import type { QueueAdapter } from './port.ts'

export interface ExternalQueueOptions {
  /** Of SQS or of what answers like it: `http://127.0.0.1:9324`, `https://sqs.eu-central-1.amazonaws.com`. */
  readonly url: string
  readonly region: string
  /** `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of these sign; absent, a local pair does. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

/** Queues that are somewhere else. Those of the system are made where they are absent, and left as they are where not. */
export function externalQueue(options: ExternalQueueOptions): QueueAdapter {
  // Read when needed: the SDK would slow down every start.
  const load = () => import('./external-sqs.ts')
  return {
    name: 'external',
    probe: async () => (await load()).probeExternal(options),
    start: async (context) => (await load()).startExternal(options, context),
  }
}
