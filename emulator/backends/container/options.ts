/** How backends run in containers; the same for all of an environment. */
export interface ContainerOptions {
  readonly images: { readonly redis: string; readonly postgres: string; readonly queue: string }
  /** `DOCKER_HOST`: the only engine that is asked. Absent, the usual sockets are tried. */
  readonly dockerHost: string | undefined
  /** Leaves containers running at the end; the next start attaches to them. */
  readonly isReused: boolean
  /** Data live in memory and end with the container. */
  readonly isThrowAway: boolean
  /** Never asks a registry for a missing image. */
  readonly isOffline: boolean
  /** What takes its time, for the user: `pulling redis:7-alpine, 42 %`. */
  readonly onProgress: (activity: string) => void
}

export const CONTAINER_DEFAULTS: ContainerOptions = {
  images: { redis: 'redis:7-alpine', postgres: 'postgres:16-alpine', queue: 'softwaremill/elasticmq-native:latest' },
  dockerHost: undefined,
  isReused: false,
  isThrowAway: false,
  isOffline: false,
  onProgress: () => {},
}
