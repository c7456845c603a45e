import { SpeechError } from '../../errors.ts'
import { createAacDecoder } from '../codecs/aac.ts'
import { createFlacDecoder } from '../codecs/flac.ts'
import { createMp3Decoder } from '../codecs/mp3.ts'
import { createOpusPackets, readOpusHead } from '../codecs/opus.ts'
import type { AudioDecoder, Decoded } from '../codecs/port.ts'
import { withAdtsHeader } from './adts.ts'
import { type FrameDecoder, framesAfter, framesInto } from './frame-decoder.ts'
import { dropLead } from './lead.ts'
import { framesOfFragment, framesOfIndex, type Mp4Frame, usualFrameSize } from './mp4-frames.ts'
import { type Mp4Track, readMp4Track } from './mp4-track.ts'
import { createMp4Reader } from './mp4-reader.ts'

interface Chosen {
  readonly id: number
  readonly usualSize: number
  readonly codec: FrameDecoder
}

/** MP4 as it comes: in fragments, as browsers record it, or a file whose index comes first. */
export function createMp4Decoder(): AudioDecoder {
  const reader = createMp4Reader()
  let chosen: Chosen | undefined

  async function take(type: string, box: Uint8Array, start: number): Promise<readonly Mp4Frame[]> {
    if (type === 'moof') return chosen ? framesOfFragment(box, start, chosen) : []
    if (chosen) return []
    const track = readMp4Track(box)
    chosen = { id: track.id, usualSize: usualFrameSize(box, track), codec: await openCodec(track) }
    return framesOfIndex(box, track)
  }

  return {
    async push(bytes) {
      const decoded: Decoded[] = []
      reader.push(bytes)
      for (let item = reader.next(); item; item = reader.next()) {
        if (item.type === 'frame') decoded.push(...((await chosen?.codec.decode([item.bytes])) ?? []))
        else if (item.type === 'sound') assertIndex(chosen)
        else reader.expect(await take(item.type, item.bytes, item.start))
      }
      return decoded
    },
    finish: async () => (await chosen?.codec.finish()) ?? [],
    close: () => chosen?.codec.close(),
  }
}

function assertIndex(chosen: Chosen | undefined): void {
  if (chosen) return
  const help = 'Upload it as a file, or stream MP4 in fragments.'
  throw new SpeechError(415, `M4A audio can be streamed only where its index comes before the sound. ${help}`)
}

/** Of AAC; Opus says in its own header what to leave out. */
function withoutLead(decoder: AudioDecoder, leadSeconds: number): AudioDecoder {
  const drop = dropLead(leadSeconds)
  return {
    push: async (bytes) => drop(await decoder.push(bytes)),
    finish: async () => drop(await decoder.finish()),
    close: () => decoder.close(),
  }
}

async function openCodec({ codec, leadSeconds }: Mp4Track): Promise<FrameDecoder> {
  switch (codec.name) {
    case 'aac':
      return framesInto(withoutLead(await createAacDecoder(), leadSeconds), (frames) =>
        Buffer.concat(frames.map((frame) => withAdtsHeader(frame, codec))),
      )
    case 'mp3':
      return framesInto(await createMp3Decoder(), (frames) => Buffer.concat(frames))
    case 'flac':
      return framesAfter(codec.header, await createFlacDecoder())
    case 'opus': {
      const packets = await createOpusPackets(readOpusHead(codec.header))
      return { decode: async (frames) => packets.decode(frames), finish: async () => [], close: () => packets.close() }
    }
    case 'alac':
      throw new SpeechError(415, 'M4A audio in ALAC cannot be streamed. Upload it as a file.')
  }
}
