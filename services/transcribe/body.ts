import { ApiError } from '../wire/api-error.ts'

/** Audio on its way to a speech server. Nothing but one chunk of it is ever held. */
export interface AudioBody {
  /** Whether any of it has been handed on: then it cannot be sent again. */
  readonly isStarted: boolean
  /** The whole audio, once. Throws ApiError 413 as soon as there is too much of it. */
  chunks(): AsyncGenerator<Uint8Array>
}

/** Waits for the first byte. @throws ApiError 400 when there is none, 413. */
export async function openBody(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<AudioBody> {
  const rest = source[Symbol.asyncIterator]()
  const first = await nextFilled(rest)
  if (!first) throw new ApiError(400, 'The request has no audio in its body.')
  assertSize(first.length, maxBytes)
  let isStarted = false

  return {
    get isStarted() {
      return isStarted
    },
    async *chunks() {
      isStarted = true
      let size = 0
      for (let chunk: Uint8Array | undefined = first; chunk; chunk = await nextFilled(rest)) {
        size += chunk.length
        assertSize(size, maxBytes)
        yield chunk
      }
    },
  }
}

/** @throws ApiError 413. */
export function assertSize(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new ApiError(413, `The audio is larger than ${maxBytes} bytes.`)
}

async function nextFilled(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (;;) {
    const next = await chunks.next()
    if (next.done) return undefined
    if (next.value.length > 0) return next.value
  }
}
