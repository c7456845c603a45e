import { ALAW, MULAW } from './companding.ts'
import { bytesPerFrame } from './format.ts'
import type { PcmFormat, SampleEncoding } from './format.ts'

type ReadSample = (view: DataView, offset: number) => number

const READ = {
  u8: (view, offset) => (view.getUint8(offset) - 128) / 128,
  s16: (view, offset) => view.getInt16(offset, true) / 32_768,
  s24: (view, offset) => (view.getUint16(offset, true) + view.getInt8(offset + 2) * 65_536) / 8_388_608,
  s32: (view, offset) => view.getInt32(offset, true) / 2_147_483_648,
  f32: (view, offset) => finite(view.getFloat32(offset, true)),
  f64: (view, offset) => finite(view.getFloat64(offset, true)),
  mulaw: (view, offset) => MULAW[view.getUint8(offset)] ?? 0,
  alaw: (view, offset) => ALAW[view.getUint8(offset)] ?? 0,
} as const satisfies Record<SampleEncoding, ReadSample>

/** Bytes in, mono samples out. Chunks may be cut at any byte: what does not fill a frame waits for the next chunk. */
export function createPcmDecoder(format: PcmFormat): (bytes: Uint8Array) => Float32Array {
  const frameBytes = bytesPerFrame(format)
  const sampleBytes = frameBytes / format.channels
  const read: ReadSample = READ[format.encoding]
  let carried = new Uint8Array(0)

  return (bytes) => {
    const whole = carried.length === 0 ? bytes : joined(carried, bytes)
    const frames = Math.floor(whole.length / frameBytes)
    // Copied: the chunk may be a view of a buffer that its owner uses again.
    carried = new Uint8Array(whole.subarray(frames * frameBytes))

    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
    const samples = new Float32Array(frames)
    for (let frame = 0; frame < frames; frame += 1) {
      let sum = 0
      for (let channel = 0; channel < format.channels; channel += 1) {
        sum += read(view, frame * frameBytes + channel * sampleBytes)
      }
      samples[frame] = sum / format.channels
    }
    return samples
  }
}

// A NaN or an infinity in a float file would spread through the resampler and silence the whole stream.
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length)
  whole.set(first)
  whole.set(second, first.length)
  return whole
}
