import { CONTAINER_DEFAULTS, type ContainerOptions } from '../backends/container/options.ts'
import type { Settings } from './settings.ts'

/** How backends run in containers here, where nothing more is asked for. */
export function containerOptions({ images, dockerHost }: Settings): ContainerOptions {
  const usual = CONTAINER_DEFAULTS.images
  return {
    ...CONTAINER_DEFAULTS,
    dockerHost,
    images: {
      redis: images.redis ?? usual.redis,
      postgres: images.postgres ?? usual.postgres,
      queue: images.queue ?? usual.queue,
    },
  }
}
