import { randomFillSync } from 'node:crypto'

/** Made at once: what a call of the random source costs is spread over them. */
const BATCH = 128
const RANDOM_BYTES = 16
const TEXT_CHARACTERS = 36
const HYPHEN = 0x2d

/**
 * Random UUIDs (RFC 9562, version 4), as those of `randomUUID`. Each is part of the text of its batch, where those are
 * trees of a dozen strings: whoever keeps many of them keeps a fifth of the memory, and spares the garbage collector the walk.
 */
export function createUuids(): () => string {
  const random = Buffer.allocUnsafeSlow(BATCH * RANDOM_BYTES)
  const room = Buffer.allocUnsafeSlow(BATCH * TEXT_CHARACTERS)
  let batch = ''
  let next = 0
  return () => {
    if (next === batch.length) {
      batch = textOf(randomFillSync(random), room)
      next = 0
    }
    next += TEXT_CHARACTERS
    return batch.slice(next - TEXT_CHARACTERS, next)
  }
}

/** All UUIDs of the batch, one after the other. */
function textOf(random: Buffer, room: Buffer): string {
  let end = 0
  for (let index = 0; index < random.length; index += 1) {
    const place = index % RANDOM_BYTES
    if (place === 4 || place === 6 || place === 8 || place === 10) room[end++] = HYPHEN
    const value = withKind(place, random[index] ?? 0)
    room[end++] = digitOf(value >> 4)
    room[end++] = digitOf(value & 0xf)
  }
  return room.toString('latin1', 0, end)
}

/** Version and variant have a place among the random bits. */
function withKind(place: number, byte: number): number {
  if (place === 6) return (byte & 0x0f) | 0x40
  return place === 8 ? (byte & 0x3f) | 0x80 : byte
}

/** The character code of a hexadecimal digit. */
function digitOf(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value
}
