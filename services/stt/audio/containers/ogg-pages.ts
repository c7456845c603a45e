/** A page of an Ogg stream (RFC 3533 §6). */
export interface OggPage {
  readonly serial: number
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Of the last packet that ends here, as its codec counts; -1 when none does. */
  readonly granulePosition: number
  /** Whole packets: those that ended in this page, of the same stream. */
  readonly packets: readonly Uint8Array[]
}

const HEADER_BYTES = 27
const CAPTURE = [0x4f, 0x67, 0x67, 0x53]
/** A packet that never ends is no audio: a page holds at most 64 kB, and a header with a picture in it a few of them. */
const MAX_PACKET_BYTES = 1 << 22

/** Reads pages from bytes that are cut anywhere; what is no page is skipped. */
export function createOggReader(): (bytes: Uint8Array) => OggPage[] {
  let held = new Uint8Array(0)
  const begun = new Map<number, Uint8Array>()

  function readPage(start: number): { page: OggPage; end: number } | undefined {
    const view = new DataView(held.buffer, held.byteOffset + start, held.length - start)
    if (view.byteLength < HEADER_BYTES) return undefined
    const segments = view.getUint8(26)
    if (view.byteLength < HEADER_BYTES + segments) return undefined
    const lengths = held.subarray(start + HEADER_BYTES, start + HEADER_BYTES + segments)
    const bodyBytes = lengths.reduce((sum, length) => sum + length, 0)
    const bodyStart = start + HEADER_BYTES + segments
    if (held.length < bodyStart + bodyBytes) return undefined

    const flags = view.getUint8(5)
    const serial = view.getUint32(14, true)
    const isContinued = (flags & 1) !== 0
    const body = held.subarray(bodyStart, bodyStart + bodyBytes)
    const packets = packetsOf(serial, { isContinued, lengths, body })
    const granulePosition = Number(view.getBigInt64(6, true))
    const page = { serial, isFirst: (flags & 2) !== 0, isLast: (flags & 4) !== 0, granulePosition, packets }
    return { page, end: bodyStart + bodyBytes }
  }

  function packetsOf(
    serial: number,
    { isContinued, lengths, body }: { isContinued: boolean; lengths: Uint8Array; body: Uint8Array },
  ): Uint8Array[] {
    const packets: Uint8Array[] = []
    let packet = (isContinued ? begun.get(serial) : undefined) ?? new Uint8Array(0)
    // The rest of a packet whose start was lost is of no use.
    let isLost = isContinued && !begun.has(serial)
    begun.delete(serial)
    let offset = 0
    for (const length of lengths) {
      packet = Buffer.concat([packet, body.subarray(offset, offset + length)])
      offset += length
      if (length === 255) continue
      if (!isLost) packets.push(packet)
      isLost = false
      packet = new Uint8Array(0)
    }
    const isOpen = lengths.at(-1) === 255
    if (isOpen && !isLost && packet.length <= MAX_PACKET_BYTES) begun.set(serial, packet)
    return packets
  }

  return (bytes) => {
    held = Buffer.concat([held, bytes])
    const pages: OggPage[] = []
    let start = captureFrom(held, 0)
    for (;;) {
      const read = isCapture(held, start) ? readPage(start) : undefined
      if (!read) break
      pages.push(read.page)
      start = captureFrom(held, read.end)
    }
    held = held.slice(start)
    return pages
  }
}

function isCapture(bytes: Uint8Array, at: number): boolean {
  return at + CAPTURE.length <= bytes.length && CAPTURE.every((byte, index) => bytes[at + index] === byte)
}

/** Where the next page may begin: its mark, or the last bytes, which may be the start of one. */
function captureFrom(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    if (isCapture(bytes, at)) return at
    if (at > bytes.length - CAPTURE.length && CAPTURE.slice(0, bytes.length - at).every((b, i) => bytes[at + i] === b))
      return at
  }
  return bytes.length
}
