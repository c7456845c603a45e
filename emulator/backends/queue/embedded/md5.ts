import { createHash, hash } from 'node:crypto'
import type { WireAttribute, WireAttributes } from './message.ts'

/** Of the text's UTF-8, in hexadecimal. */
export function md5OfText(text: string): string {
  return hash('md5', text)
}

/** Attributes in order of their names, each as name, type, a byte for the kind of value, and value, lengths before all. */
export function md5OfAttributes(attributes: WireAttributes): string {
  const md5 = createHash('md5')
  for (const name of Object.keys(attributes).sort()) {
    const attribute = attributes[name]
    if (!attribute) continue
    const value = valueOf(attribute)
    md5.update(withLength(Buffer.from(name)))
    md5.update(withLength(Buffer.from(attribute.DataType)))
    md5.update(Buffer.of(attribute.BinaryValue === undefined ? STRING : BINARY))
    md5.update(withLength(value))
  }
  return md5.digest('hex')
}

const STRING = 1
const BINARY = 2

function valueOf({ StringValue, BinaryValue }: WireAttribute): Buffer {
  return BinaryValue === undefined ? Buffer.from(StringValue ?? '') : Buffer.from(BinaryValue, 'base64')
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
