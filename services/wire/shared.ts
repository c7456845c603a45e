import type { Held, Opened, Shared } from './runtime.ts'

interface Slot {
  readonly opened: Promise<Opened<unknown>>
  holders: number
}

/** Reference-counted resources of one process or one environment. A failed opening is forgotten, so it can be tried again. */
export function createShared(): Shared {
  const slots = new Map<string, Slot>()

  return {
    async hold<T>(key: string, open: () => Promise<Opened<T>>): Promise<Held<T>> {
      const slot = slots.get(key) ?? { opened: open(), holders: 0 }
      slots.set(key, slot)
      slot.holders += 1
      try {
        const { value } = await slot.opened
        // The key names the type: whoever opens and whoever joins use the same one.
        return { value: value as T, release: once(() => release(key, slot)) }
      } catch (error) {
        if (slots.get(key) === slot) slots.delete(key)
        throw error
      }
    },
  }

  async function release(key: string, slot: Slot): Promise<void> {
    slot.holders -= 1
    if (slot.holders > 0) return
    slots.delete(key)
    await (await slot.opened).close()
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= run())
}
