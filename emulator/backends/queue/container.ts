import { probeImage } from '../container/image-probe.ts'
import { CONTAINER_DEFAULTS, type ContainerOptions } from '../container/options.ts'
import type { QueueAdapter } from './port.ts'

/** ElasticMQ from its public image: queues behind the protocol of SQS, in memory. */
export function containerQueue(options: ContainerOptions = CONTAINER_DEFAULTS): QueueAdapter {
  const image = options.images.queue
  return {
    name: 'container',
    probe: () => probeImage(image, options),
    // Read when needed: the SDK would slow down every start.
    start: async (context) => (await import('./elasticmq.ts')).startElasticMq(context, options),
  }
}
