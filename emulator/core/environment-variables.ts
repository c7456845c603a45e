import type { Topology } from './system.ts'

/** What other programs need to find the parts of an environment, by the names that their libraries look for. */
export interface Places {
  /** Of the load balancer. */
  readonly url: string
  /** Where there is a listener for HTTPS: its URL, and the file of the authority that has signed its certificates. */
  readonly https?: { readonly url: string; readonly authority: string }
  readonly awsEndpoint: string
  /** URL of each backend, by its name in the topology. */
  readonly backends: Readonly<Record<string, string>>
  readonly queueUrls: Readonly<Record<string, string>>
}

/** The variables that `aldea-local env` prints. The credentials are made up: the emulated AWS checks none. */
export function environmentVariables(
  { backends, region, demo }: Topology,
  { url, https, awsEndpoint, backends: urls, queueUrls }: Places,
): Record<string, string> {
  const stores = backends.flatMap(({ kind, name }): [string, string][] => {
    const variable = kind === 'queue' ? undefined : URL_VARIABLES[kind]
    const backend = urls[name]
    return variable === undefined || backend === undefined ? [] : [[variable, backend]]
  })
  const [queueUrl] = Object.values(queueUrls)
  return {
    ALDEA_URL: url,
    ALDEA_KEY: demo.key,
    // Programs in Node trust the authority by the second one.
    ...(https && { ALDEA_HTTPS_URL: https.url, NODE_EXTRA_CA_CERTS: https.authority }),
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    ...Object.fromEntries(stores),
    ...(queueUrl !== undefined && { QUEUE_URL: queueUrl }),
  }
}

const URL_VARIABLES = { postgres: 'DATABASE_URL', redis: 'REDIS_URL' } as const
