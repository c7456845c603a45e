import { createInterface } from 'node:readline'
import { AldeaError, messageOf } from '../../core/errors.ts'
import { EngineError } from './engine-client.ts'
import type { Engine } from './engine.ts'

export async function hasImage(engine: Engine, image: string): Promise<boolean> {
  try {
    await engine.call('GET', `/images/${encodeURIComponent(image)}/json`)
    return true
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false
    throw error
  }
}

/** Fetches an image from its registry. Throws `ALDEA_MISSING` with the engine's words when it cannot. */
export async function pullImage(engine: Engine, image: string, onProgress: (activity: string) => void): Promise<void> {
  onProgress(`pulling ${image}`)
  try {
    const query = new URLSearchParams({ fromImage: withTag(image) })
    const layers = new Layers()
    let told = ''
    for await (const line of createInterface({
      input: await engine.stream('POST', `/images/create?${query.toString()}`),
    })) {
      const step = JSON.parse(line) as PullStep
      if (step.error !== undefined) throw new Error(step.error)
      const activity = `pulling ${image}${layers.after(step)}`
      if (activity !== told) onProgress(activity)
      told = activity
    }
  } catch (error) {
    throw new AldeaError('ALDEA_MISSING', `The image ${image} could not be pulled: ${messageOf(error)}.`, {
      hint: pullHint(image),
      cause: error,
    })
  }
}

export function pullHint(image: string): string {
  return `Type \`docker pull ${image}\` where a registry can be reached, or use --backends embedded.`
}

/** A line of the engine's answer to a pull. */
interface PullStep {
  readonly id?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** Sizes become known one layer after the other, so the share can fall. */
class Layers {
  readonly #sizes = new Map<string, { current: number; total: number }>()

  /** `, 42 %`; nothing as long as no size is known. */
  after({ id, progressDetail: { current, total } = {} }: PullStep): string {
    if (id !== undefined && current !== undefined && total) this.#sizes.set(id, { current, total })
    let [done, all] = [0, 0]
    for (const layer of this.#sizes.values()) {
      done += layer.current
      all += layer.total
    }
    return all === 0 ? '' : `, ${Math.floor((100 * done) / all)} %`
  }
}

/** Without a tag the engine would fetch every one of the repository. */
function withTag(image: string): string {
  return /:[^/]*$|@/.test(image) ? image : `${image}:latest`
}
