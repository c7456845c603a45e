/** The few parts of DER (X.690) that a certificate is written in. Each returns a whole element: tag, length, content. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Of elements whose meaning their place gives: `[n]`. */
const CONTEXT = 0x80
const CONSTRUCTED = 0x20

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(TAG.sequence, ...parts)
}

export function setOf(part: Buffer): Buffer {
  return element(TAG.set, part)
}

/** A non-negative whole number, big-endian. */
export function integer(bytes: Buffer): Buffer {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0
  return element(TAG.integer, isNegative ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

export function truth(): Buffer {
  return element(TAG.boolean, Buffer.of(0xff))
}

/** `unusedBits` of the last byte belong to nothing. */
export function bitString(content: Buffer, unusedBits = 0): Buffer {
  return element(TAG.bitString, Buffer.of(unusedBits), content)
}

export function octetString(content: Buffer): Buffer {
  return element(TAG.octetString, content)
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, 'utf8'))
}

/** `2.5.4.3` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(TAG.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(toBase128)]))
}

/** A point in time to the second; certificates write years from 2050 on in another form (RFC 5280 §4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  if (Number(digits.slice(0, 4)) >= 2050) return element(TAG.generalizedTime, Buffer.from(digits))
  return element(TAG.utcTime, Buffer.from(digits.slice(2)))
}

/** `[tag]` around whole elements. */
export function explicit(tag: number, ...parts: readonly Buffer[]): Buffer {
  return element(CONTEXT | CONSTRUCTED | tag, ...parts)
}

/** `[tag]` in the place of the element's own tag. */
export function implicit(tag: number, content: Buffer): Buffer {
  return element(CONTEXT | tag, content)
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(tag), toLength(content.length), content])
}

function toLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x1_00)) bytes.unshift(rest % 0x1_00)
  return Buffer.of(0x80 | bytes.length, ...bytes)
}

/** Seven bits a byte, all but the last with the eighth bit set. */
function toBase128(value: number): number[] {
  const bytes = [value % 0x80]
  for (let rest = Math.floor(value / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    bytes.unshift((rest % 0x80) | 0x80)
  }
  return bytes
}
