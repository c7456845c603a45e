import type { Device } from '../../../wire/device.ts'

export interface PlacedModelOptions<M> {
  /** Where the model is to compute. */
  readonly device: Device
  /** Whether the CPU will do from the start, where the device does not take the model. */
  readonly mayFallBack: boolean
  readonly load: (device: Device) => Promise<M>
  /** Whether work failed for a reason of its own, which no other device would change. */
  readonly isOwnFailure: (error: unknown) => boolean
  /** From now on the CPU computes: it could do what the device failed at. */
  readonly onMoved: (cause: unknown) => void
}

/** Work with a model, wherever that is. */
export type WithModel<M> = <T>(work: (model: M) => Promise<T>) => Promise<T>

/**
 * Loads a model on a device. Work that fails on a GPU, whose memory or driver may be lost at any time, is done again on the
 * CPU, and where it succeeds there, all that follows.
 *
 * @throws what keeps it from being loaded
 */
export async function placeModel<M>(options: PlacedModelOptions<M>): Promise<WithModel<M>> {
  const { device, mayFallBack, load, isOwnFailure, onMoved } = options
  let isMoved = device === 'cpu'
  let onCpu: Promise<Awaited<M>> | undefined
  let model = await load(device).catch(async (error: unknown) => {
    if (isMoved || !mayFallBack) throw error
    const other = await load('cpu')
    move(error)
    return other
  })

  function move(cause: unknown): void {
    if (isMoved) return
    isMoved = true
    onMoved(cause)
  }

  /** Once, however much work fails meanwhile; where it cannot be loaded it is tried again. */
  function loadOnCpu(): Promise<Awaited<M>> {
    onCpu ??= Promise.resolve(load('cpu')).catch((error: unknown) => {
      onCpu = undefined
      throw error
    })
    return onCpu
  }

  return async (work) => {
    try {
      return await work(model)
    } catch (error) {
      if (isMoved || isOwnFailure(error)) throw error
      const other = await loadOnCpu()
      const result = await work(other)
      model = other
      move(error)
      return result
    }
  }
}
