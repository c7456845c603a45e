import { SpeechError } from '../../errors.ts'
import { type AudioDecoder, type Decoded, toMono } from './port.ts'

/** The header of an Opus stream (RFC 7845 §5.1), with what a stream without one is taken for. */
export interface OpusHead {
  readonly channels: number
  /** At 48 kHz, from the start of the stream. */
  readonly preSkipSamples: number
  readonly streamCount: number
  readonly coupledStreamCount: number
  readonly channelMapping: readonly number[]
}

const HEAD_BYTES = 19

/** @throws {@link SpeechError} 415 for a header that does not fit itself. */
export function readOpusHead(packet: Uint8Array): OpusHead {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  if (packet.length < HEAD_BYTES) throw badHead()
  const channels = view.getUint8(9)
  const preSkipSamples = view.getUint16(10, true)
  const family = view.getUint8(18)
  if (family === 0) {
    if (channels < 1 || channels > 2) throw badHead()
    return { ...plainHead(channels), preSkipSamples }
  }
  if (channels < 1 || packet.length < HEAD_BYTES + 2 + channels) throw badHead()
  const streamCount = view.getUint8(19)
  const coupledStreamCount = view.getUint8(20)
  const channelMapping = Array.from(packet.subarray(21, 21 + channels))
  const decoded = streamCount + coupledStreamCount
  const isKnown = channelMapping.every((index) => index < decoded || index === 255)
  if (streamCount === 0 || coupledStreamCount > streamCount || decoded > 255 || !isKnown) throw badHead()
  return { channels, preSkipSamples, streamCount, coupledStreamCount, channelMapping }
}

/** One stream of one or two channels. */
export function plainHead(channels: number): OpusHead {
  const coupled = channels === 2
  return {
    channels,
    preSkipSamples: 0,
    streamCount: 1,
    coupledStreamCount: coupled ? 1 : 0,
    channelMapping: coupled ? [0, 1] : [0],
  }
}

/** What the library has room for: 256 kbit/s in packets of 120 ms. */
const MAX_PACKET_BYTES_A_CHANNEL = 3_840

export interface OpusPackets {
  decode(packets: readonly Uint8Array[]): readonly Decoded[]
  close(): void
}

/** Decodes packets one after the other, wherever they were wrapped. A broken one is left out. */
export async function createOpusPackets(head: OpusHead): Promise<OpusPackets> {
  const { OpusDecoder } = await import('opus-decoder')
  const decoder = new OpusDecoder({
    channels: head.channels,
    preSkip: head.preSkipSamples,
    streamCount: head.streamCount,
    coupledStreamCount: head.coupledStreamCount,
    channelMappingTable: [...head.channelMapping],
  })
  await decoder.ready
  const fits = ({ length }: Uint8Array): boolean => length > 0 && length <= MAX_PACKET_BYTES_A_CHANNEL * head.channels
  return {
    decode: (packets) => toMono(decoder.decodeFrames(packets.filter(fits))),
    close: () => decoder.free(),
  }
}

/** Packets without a container, one a piece, as `encoding=opus` sends them. */
export async function createRawOpusDecoder(channels: number): Promise<AudioDecoder> {
  if (channels > 2) throw new SpeechError(415, 'Opus packets without a container have one channel or two.')
  const packets = await createOpusPackets(plainHead(channels))
  return {
    push: async (packet) => packets.decode([packet]),
    finish: async () => [],
    close: () => packets.close(),
  }
}

function badHead(): SpeechError {
  return new SpeechError(415, 'The Opus stream has a header that makes no sense.')
}
