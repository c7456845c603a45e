import type { Available, Declined } from '../probe.ts'
import { findEngine, type Engine } from './engine.ts'
import { hasImage, pullHint } from './images.ts'
import type { ContainerOptions } from './options.ts'

/** Whether an image can be run here: an engine answers, and has the image or may fetch it. */
export async function probeImage(
  image: string,
  { dockerHost, isOffline }: Pick<ContainerOptions, 'dockerHost' | 'isOffline'>,
): Promise<Available | Declined> {
  const engine = await findEngine(dockerHost)
  if (typeof engine === 'string') return { available: false, reason: sentence(engine), hint: ENGINE_HINT }
  if (isOffline && !(await hasImage(engine, image))) {
    return {
      available: false,
      reason: `The image ${image} is not in the engine at ${engine.uri}.`,
      hint: pullHint(image),
    }
  }
  return { available: true, what: image }
}

/** The engine that the probe found, at the start that follows it: it is known to be there, so it gets its time. */
export async function requireEngine({ dockerHost }: Pick<ContainerOptions, 'dockerHost'>): Promise<Engine> {
  const engine = await findEngine(dockerHost, PATIENCE_MS)
  if (typeof engine === 'string') throw new Error(sentence(engine))
  return engine
}

/** As long as any other call to it. */
const PATIENCE_MS = 30_000

const ENGINE_HINT = 'Start Docker or Podman, set DOCKER_HOST to its address, or use --backends embedded.'

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}
