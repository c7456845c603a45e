/** The three headers of Vorbis as Matroska keeps them: their number less one, the sizes of the first two, all three. */
function headersOf(codecPrivate: Uint8Array): Uint8Array[] {
  let offset = 1
  const size = (): number => {
    let sum = 0
    for (let byte = 255; byte === 255 && offset < codecPrivate.length; offset += 1) {
      byte = codecPrivate[offset] ?? 0
      sum += byte
    }
    return sum
  }
  const first = size()
  const second = size()
  const middle = offset + first
  return [
    codecPrivate.subarray(offset, middle),
    codecPrivate.subarray(middle, middle + second),
    codecPrivate.subarray(middle + second),
  ]
}

const MAX_SEGMENTS = 255

/** Writes packets of Vorbis into Ogg, the one form in which the decoder takes them. */
export function createVorbisPages(codecPrivate: Uint8Array): (packets: readonly Uint8Array[]) => Uint8Array {
  const [identification = new Uint8Array(0), ...others] = headersOf(codecPrivate)
  let isBegun = false
  let sequence = 0

  function pages(packet: Uint8Array): Buffer[] {
    const segments = Array<number>(Math.floor(packet.length / 255)).fill(255)
    segments.push(packet.length % 255)
    const written: Buffer[] = []
    for (let at = 0; at < segments.length; at += MAX_SEGMENTS) {
      const body = packet.subarray(at * 255, (at + MAX_SEGMENTS) * 255)
      written.push(page(segments.slice(at, at + MAX_SEGMENTS), body, { isContinued: at > 0, sequence }))
      sequence += 1
    }
    return written
  }

  return (packets) => {
    const start = isBegun ? [] : [identification, ...others].flatMap(pages)
    isBegun = true
    return Buffer.concat([...start, ...packets.flatMap(pages)])
  }
}

function page(
  segments: readonly number[],
  body: Uint8Array,
  { isContinued, sequence }: { isContinued: boolean; sequence: number },
): Buffer {
  const head = Buffer.alloc(27 + segments.length)
  head.write('OggS', 'latin1')
  head[5] = (isContinued ? 1 : 0) | (sequence === 0 ? 2 : 0)
  head.writeUInt32LE(1, 14)
  head.writeUInt32LE(sequence, 18)
  head[26] = segments.length
  head.set(segments, 27)
  const whole = Buffer.concat([head, body])
  whole.writeUInt32LE(checksum(whole), 22)
  return whole
}

/** CRC-32 with the polynomial 0x04c11db7, neither reflected nor inverted (RFC 3533 §6). */
function checksum(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) ^ (TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0
  return crc
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc >>> 0
})
