interface WavOptions {
  readonly id?: string
  readonly tag?: number
  readonly bits?: number
  readonly channels?: number
  readonly sampleRateHz?: number
  readonly data: Uint8Array
  /** As declared in the header; the true one if absent. */
  readonly dataBytes?: number
  /** Chunks before the format. */
  readonly before?: Uint8Array
  /** What follows the sixteen bytes of the plain format. */
  readonly extension?: Uint8Array
}

/** A WAV file for tests; 16 kHz mono 16-bit where nothing else is said. */
export function wav(options: WavOptions): Buffer {
  const { id = 'RIFF', tag = 1, bits = 16, channels = 1, sampleRateHz = 16_000, data } = options
  const format = Buffer.alloc(16)
  const frameBytes = channels * Math.ceil(bits / 8)
  format.writeUInt16LE(tag, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(sampleRateHz, 4)
  format.writeUInt32LE(sampleRateHz * frameBytes, 8)
  format.writeUInt16LE(frameBytes, 12)
  format.writeUInt16LE(bits, 14)
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    options.before ?? Buffer.alloc(0),
    chunk('fmt ', Buffer.concat([format, options.extension ?? Buffer.alloc(0)])),
    chunk('data', data, options.dataBytes),
  ])
  return chunk(id, body)
}

/** A RIFF chunk, padded to an even length. */
export function chunk(id: string, body: Uint8Array, declaredBytes = body.length): Buffer {
  const header = Buffer.alloc(8)
  header.write(id, 'latin1')
  header.writeUInt32LE(declaredBytes, 4)
  return Buffer.concat([header, body, Buffer.alloc(body.length % 2)])
}

export function bytes16(samples: readonly number[]): Uint8Array {
  return new Uint8Array(Int16Array.from(samples).buffer)
}

/** A box of MP4: numbers of 32 bits, then what is in it. */
export function mp4Box(type: string, numbers: readonly number[], ...inside: readonly Uint8Array[]): Buffer {
  const fields = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) fields.writeUInt32BE(number, 4 * index)
  const head = Buffer.alloc(8)
  const whole = Buffer.concat([head, fields, ...inside])
  whole.writeUInt32BE(whole.length)
  whole.write(type, 4, 'latin1')
  return whole
}
