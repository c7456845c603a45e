import { SpeechError } from '../../errors.ts'
import { createFlacDecoder } from '../codecs/flac.ts'
import { createOpusPackets, type OpusPackets, readOpusHead } from '../codecs/opus.ts'
import type { AudioDecoder, Decoded } from '../codecs/port.ts'
import { createVorbisDecoder } from '../codecs/vorbis.ts'
import { createOggReader, type OggPage } from './ogg-pages.ts'

/** Vorbis, Opus or FLAC in Ogg: the first packet of the stream says which. */
export function createOggDecoder(): AudioDecoder {
  const read = createOggReader()
  let held: Uint8Array[] = []
  let decoder: AudioDecoder | undefined

  return {
    async push(bytes) {
      if (decoder) return decoder.push(bytes)
      held.push(new Uint8Array(bytes))
      const [first] = read(bytes)
      if (!first) return []
      decoder = await openDecoder(first)
      const start = Buffer.concat(held)
      held = []
      return decoder.push(start)
    },
    finish: async () => (decoder ? decoder.finish() : []),
    close: () => decoder?.close(),
  }
}

async function openDecoder({ packets: [head = new Uint8Array(0)] }: OggPage): Promise<AudioDecoder> {
  const start = Buffer.from(head.subarray(0, 8)).toString('latin1')
  if (start === 'OpusHead') return createOggOpusDecoder()
  if (start.startsWith('\u0001vorbis')) return createVorbisDecoder()
  if (start.startsWith('\u007fFLAC')) return createFlacDecoder()
  const codec = start.replace(/[^ -~]/g, '').trim()
  throw new SpeechError(415, `OGG audio in the codec "${codec}" is not supported; Opus, Vorbis and FLAC are.`)
}

/** Opus in Ogg (RFC 7845); a chained stream, as radio sends, begins anew with each link. */
function createOggOpusDecoder(): AudioDecoder {
  const read = createOggReader()
  let packets: OpusPackets | undefined
  let serial: number | undefined
  let preSkipSamples = 0
  let decodedSamples = 0

  async function begin(page: OggPage, head: Uint8Array): Promise<void> {
    packets?.close()
    const parsed = readOpusHead(head)
    packets = await createOpusPackets(parsed)
    serial = page.serial
    preSkipSamples = parsed.preSkipSamples
    decodedSamples = 0
  }

  /** The last page tells where the sound ends; the last packet is filled up to its whole length. */
  function trimmed(page: OggPage, decoded: readonly Decoded[]): readonly Decoded[] {
    const [whole] = decoded
    if (!whole) return decoded
    const before = decodedSamples
    decodedSamples += whole.samples.length
    const due = page.granulePosition - preSkipSamples - before
    if (!page.isLast || due <= 0 || due >= whole.samples.length) return decoded
    return [{ ...whole, samples: whole.samples.slice(0, due) }]
  }

  return {
    async push(bytes) {
      const decoded: Decoded[] = []
      for (const page of read(bytes)) {
        const [head] = page.packets
        if (page.isFirst && head && Buffer.from(head.subarray(0, 8)).toString('latin1') === 'OpusHead') {
          await begin(page, head)
        } else if (page.serial === serial && packets) {
          const audio = page.packets.filter((packet) => !isTags(packet))
          decoded.push(...trimmed(page, packets.decode(audio)))
        }
      }
      return decoded
    },
    finish: async () => [],
    close: () => packets?.close(),
  }
}

function isTags(packet: Uint8Array): boolean {
  return Buffer.from(packet.subarray(0, 8)).toString('latin1') === 'OpusTags'
}
