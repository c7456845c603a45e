import { probeImage } from '../container/image-probe.ts'
import { CONTAINER_DEFAULTS, type ContainerOptions } from '../container/options.ts'
import { startContainer } from '../container/start-container.ts'
import type { RedisAdapter } from './port.ts'

/** Redis from its public image. */
export function containerRedis(options: ContainerOptions = CONTAINER_DEFAULTS): RedisAdapter {
  const image = options.images.redis
  return {
    name: 'container',
    probe: () => probeImage(image, options),
    async start({ stateDir, port, log }) {
      const persistence = options.isThrowAway ? 'no' : 'yes'
      const running = await startContainer(
        {
          service: 'redis',
          image,
          command: ['redis-server', '--appendonly', persistence, ...SETTINGS],
          environment: () => ({}),
          containerPort: REDIS_PORT,
          port,
          dataFolder: '/data',
          ready: /ready to accept connections/i,
          stateDir,
          log,
        },
        options,
      )
      await running.initialised()
      return {
        url: `redis://127.0.0.1:${running.port}`,
        detail: `127.0.0.1:${running.port}  ${image} container`,
        isReal: true,
        stop: () => running.stop(),
      }
    },
  }
}

/**
 * Reached through the engine's own network only, whose address Redis would take for a stranger's. When writes reach the disk
 * is left to the system, as with an installed server, so that none is kept back.
 */
const SETTINGS = ['--save', '', '--appendfsync', 'no', '--protected-mode', 'no']
const REDIS_PORT = 6379
