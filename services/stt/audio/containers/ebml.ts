import { SpeechError } from '../../errors.ts'

/** Elements of Matroska that hold others which are of interest here; of all else only the bytes are passed over. */
export interface EbmlSchema {
  readonly masters: ReadonlySet<number>
  readonly leaves: ReadonlySet<number>
}

export type EbmlItem = { readonly id: number; readonly payload: Uint8Array | undefined }

/** A block of audio is some kilobytes; nothing that is read here is longer. */
const MAX_PAYLOAD_BYTES = 1 << 20
const MAX_ID_BYTES = 4
const MAX_SIZE_BYTES = 8

/**
 * Reads EBML (RFC 8794) from bytes that are cut anywhere, so that it can be a live stream whose elements do not know their own size: a
 * master is one item without payload, its children follow.
 * @throws {@link SpeechError} 415 for what is no EBML.
 */
export function createEbmlReader({ masters, leaves }: EbmlSchema): (bytes: Uint8Array) => EbmlItem[] {
  let held = new Uint8Array(0)
  let toSkip = 0

  return (bytes) => {
    held = Buffer.concat([held, bytes])
    const items: EbmlItem[] = []
    let offset = 0
    for (;;) {
      const skipped = Math.min(toSkip, held.length - offset)
      offset += skipped
      toSkip -= skipped
      const head = toSkip === 0 ? readHead(held, offset) : undefined
      if (!head) break
      if (masters.has(head.id)) {
        items.push({ id: head.id, payload: undefined })
        offset = head.end
      } else if (leaves.has(head.id)) {
        if (head.size === undefined || head.size > MAX_PAYLOAD_BYTES) throw broken()
        if (held.length < head.end + head.size) break
        items.push({ id: head.id, payload: held.slice(head.end, head.end + head.size) })
        offset = head.end + head.size
      } else {
        if (head.size === undefined) throw broken()
        offset = head.end
        toSkip = head.size
      }
    }
    held = held.slice(offset)
    return items
  }
}

interface Head {
  readonly id: number
  /** Undefined: not known to who wrote it. */
  readonly size: number | undefined
  readonly end: number
}

function readHead(bytes: Uint8Array, start: number): Head | undefined {
  const idLength = lengthOf(bytes[start], MAX_ID_BYTES)
  if (idLength === undefined) return undefined
  const sizeLength = lengthOf(bytes[start + idLength], MAX_SIZE_BYTES)
  if (sizeLength === undefined) return undefined
  const end = start + idLength + sizeLength
  if (bytes.length < end) return undefined

  let id = 0
  for (const byte of bytes.subarray(start, start + idLength)) id = id * 256 + byte
  let size = 0
  let isUnknown = true
  for (const [index, byte] of bytes.subarray(start + idLength, end).entries()) {
    const mask = index === 0 ? 0xff >> sizeLength : 0xff
    size = size * 256 + (byte & mask)
    isUnknown &&= (byte & mask) === mask
  }
  if (!isUnknown && !Number.isSafeInteger(size)) throw broken()
  return { id, size: isUnknown ? undefined : size, end }
}

/** Bytes of a number that says its length by its leading zeros; undefined where it has not come yet. */
function lengthOf(first: number | undefined, most: number): number | undefined {
  if (first === undefined) return undefined
  const length = Math.clz32(first) - 23
  if (length > most) throw broken()
  return length
}

function broken(): SpeechError {
  return new SpeechError(415, 'The WebM stream is broken: it is not EBML.')
}
