import type { SpeechMessage } from '../../wire/speech.ts'

/** A message that may take time to make, or turn out not to be needed. */
export type PendingMessage = () => Promise<SpeechMessage | undefined> | SpeechMessage | undefined

/** Sends messages in the order they were put in, however long each takes to be made. */
export interface Outbox {
  put(message: PendingMessage): void
  /** Resolves when everything put in so far was sent. Never rejects. */
  sent(): Promise<void>
}

/** `fail` hears of a message that could not be made; the ones after it still follow. */
export function createOutbox(send: (message: SpeechMessage) => void, fail: (error: unknown) => void): Outbox {
  let last = Promise.resolve()
  return {
    put(message) {
      last = last.then(async () => {
        try {
          const ready = await message()
          if (ready) send(ready)
        } catch (error) {
          fail(error)
        }
      })
    },
    sent: () => last,
  }
}
