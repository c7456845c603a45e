/** A protobuf field on its way to a file: pieces in order, so that large tensors are never copied. */
export type Encoded = readonly Uint8Array[]

const WIRE_VARINT = 0
const WIRE_LENGTH_DELIMITED = 2
const WIRE_FLOAT = 5

const utf8 = new TextEncoder()

export function intField(field: number, value: number): Encoded {
  return [varint(tag(field, WIRE_VARINT)), varint(value)]
}

export function floatField(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return [varint(tag(field, WIRE_FLOAT)), bytes]
}

export function stringField(field: number, value: string): Encoded {
  return bytesField(field, utf8.encode(value))
}

export function bytesField(field: number, value: Uint8Array): Encoded {
  return [varint(tag(field, WIRE_LENGTH_DELIMITED)), varint(value.byteLength), value]
}

export function messageField(field: number, ...fields: readonly Encoded[]): Encoded {
  const pieces = fields.flat()
  return [varint(tag(field, WIRE_LENGTH_DELIMITED)), varint(encodedBytes(pieces)), ...pieces]
}

function encodedBytes(pieces: Encoded): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
}

function tag(field: number, wireType: number): number {
  return field * 8 + wireType
}

/** Negative numbers take ten bytes: protobuf's int64 is two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
