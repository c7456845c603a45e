import type { Network, Sessions } from './sessions.ts'

export interface WideOptions {
  /** Whether nobody else needs the cores at the moment. */
  readonly isAlone: () => boolean
  /** The same encoder with a thread for each core. */
  readonly loadWide: () => Promise<Network>
  /** It could not be loaded, and is not tried again. */
  readonly onFailure: (cause: unknown) => void
}

/**
 * Gives a window that is heard alone all the cores for its encoding: two take little more than half the time of one. With the
 * other workers busy such an encoder would get less done than all do by themselves. It is loaded when it is first
 * wanted; until then, and where that fails, the usual one goes on. Both answer the same numbers.
 */
export function withWideEncoder(sessions: Sessions, { isAlone, loadWide, onFailure }: WideOptions): Sessions {
  let wide: Network | undefined
  let loading: Promise<void> | undefined

  async function load(): Promise<void> {
    try {
      wide = await loadWide()
    } catch (error) {
      onFailure(error)
    }
  }

  return {
    decoder: sessions.decoder,
    get encoder() {
      if (!isAlone()) return sessions.encoder
      loading ??= load()
      return wide ?? sessions.encoder
    },
  }
}
