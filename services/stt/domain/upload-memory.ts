import { SpeechError } from '../errors.ts'

/** What all uploads of a server may hold in memory together, encoded and decoded. */
export interface UploadMemory {
  /** Counts one upload more. @throws {@link SpeechError} 503 with `retryAfterSeconds` while there are too many. */
  begin(): Upload
}

/** One upload's part of the memory. */
export interface Upload {
  /**
   * Resolves when so many bytes more may be held: at once while there is room, else when others have ended. The oldest
   * upload never waits, so that one gets done at any time. Rejects when the upload has ended.
   */
  hold(bytes: number): Promise<void>
  /** Gives everything back. */
  end(): void
}

export interface UploadLimits {
  readonly bytes: number
  readonly uploads: number
}

/** A few of the largest recordings, or some dozens of usual ones; a server with its model has 350 MiB without them. */
const DEFAULT_LIMITS: UploadLimits = { bytes: 128 << 20, uploads: 256 }

export function createUploadMemory(limits: UploadLimits = DEFAULT_LIMITS): UploadMemory {
  /** Oldest first. */
  const uploads = new Set<{ waiting: Waiter | undefined; heldBytes: number }>()
  let heldBytes = 0

  function letIn(): void {
    for (const upload of uploads) {
      const { waiting } = upload
      const [oldest] = uploads
      if (!waiting) continue
      if (heldBytes + waiting.bytes > limits.bytes && upload !== oldest) return
      upload.waiting = undefined
      upload.heldBytes += waiting.bytes
      heldBytes += waiting.bytes
      waiting.resolve()
    }
  }

  return {
    begin() {
      if (uploads.size >= limits.uploads)
        throw new SpeechError(503, 'Too many files are being transcribed; try again soon.', { retryAfterSeconds: 1 })
      const upload = { waiting: undefined as Waiter | undefined, heldBytes: 0 }
      uploads.add(upload)
      return {
        hold: (bytes) =>
          new Promise((resolve, reject) => {
            if (!uploads.has(upload)) return reject(ended())
            upload.waiting = { bytes, resolve, reject }
            letIn()
          }),
        end() {
          if (!uploads.delete(upload)) return
          heldBytes -= upload.heldBytes
          upload.waiting?.reject(ended())
          letIn()
        },
      }
    },
  }
}

interface Waiter {
  readonly bytes: number
  resolve(): void
  reject(error: Error): void
}

function ended(): Error {
  return new Error('The upload has ended.')
}
