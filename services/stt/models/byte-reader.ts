import { open, type FileHandle } from 'node:fs/promises'
import { ModelError } from './errors.ts'

/** Read at once where small things stand one after the other. */
const CHUNK_BYTES = 16 * 1024

/** A file read from its beginning, never beyond its end, and with no more memory than is asked for. */
export interface ByteReader {
  readonly path: string
  readonly size: number
  readonly position: number
  /** The next bytes. They are valid until the next call. @throws ModelError at the end of the file */
  take(bytes: number): Promise<Buffer>
  uint32(): Promise<number>
  /** Goes to a place. @throws ModelError when it lies outside the file */
  seek(position: number): void
  /** Bytes anywhere in the file, in memory of their own. @throws ModelError when they are not all there */
  readAt(offset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

/** @throws ModelError when the file cannot be opened */
export async function openBytes(path: string): Promise<ByteReader> {
  const file = await openFile(path)
  const { size } = await file.stat()
  let position = 0
  let chunk = Buffer.alloc(0)
  let chunkStart = 0

  const assertInside = (end: number): void => {
    if (end > size) throw new ModelError(`${path} is truncated: ${end} bytes were expected, it has ${size}.`)
  }
  async function take(bytes: number): Promise<Buffer> {
    assertInside(position + bytes)
    if (position < chunkStart || position + bytes > chunkStart + chunk.length) {
      chunk = Buffer.alloc(Math.min(Math.max(CHUNK_BYTES, bytes), size - position))
      chunkStart = position
      await fill(path, file, chunk, position)
    }
    const taken = chunk.subarray(position - chunkStart, position - chunkStart + bytes)
    position += bytes
    return taken
  }
  return {
    path,
    size,
    get position() {
      return position
    },
    take,
    uint32: async () => (await take(4)).readUInt32LE(),
    seek(next) {
      assertInside(next)
      position = next
    },
    async readAt(offset, bytes) {
      assertInside(offset + bytes)
      const target = new Uint8Array(bytes)
      await fill(path, file, target, offset)
      return target
    },
    close: () => file.close(),
  }
}

/** A read may bring less than asked for: at most 2 GiB on Linux. */
async function fill(path: string, file: FileHandle, target: Uint8Array, offset: number): Promise<void> {
  let filled = 0
  while (filled < target.byteLength) {
    const { bytesRead } = await file.read(target, filled, target.byteLength - filled, offset + filled)
    if (bytesRead === 0) throw new ModelError(`${path} is truncated at byte ${offset + filled}.`)
    filled += bytesRead
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new ModelError(`Cannot open ${path}.`, { cause: error })
  }
}
