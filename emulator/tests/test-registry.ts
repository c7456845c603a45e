import type { Registry } from '../core/state-dir.ts'

/** What an environment has written about itself of which only this matters. */
export function createRegistry(about: Partial<Registry>): Registry {
  return {
    pid: process.pid,
    url: 'http://127.0.0.1:1',
    httpsUrl: undefined,
    stage: 'prod',
    profile: 'ecs-b',
    backends: {},
    queueUrls: {},
    variables: {},
    serviceVariables: {},
    secrets: {},
    ...about,
  }
}
