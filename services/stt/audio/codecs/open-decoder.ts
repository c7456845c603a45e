import type { CompressedFormat } from '../format.ts'
import { createM4aDecoder } from '../containers/m4a.ts'
import { createMp4Decoder } from '../containers/mp4.ts'
import { createOggDecoder } from '../containers/ogg.ts'
import { createWebmDecoder } from '../containers/webm.ts'
import { createAacDecoder } from './aac.ts'
import { createFlacDecoder } from './flac.ts'
import { createMp3Decoder } from './mp3.ts'
import { createRawOpusDecoder } from './opus.ts'
import type { AudioDecoder } from './port.ts'

/** @throws {@link SpeechError} 415. */
export async function openDecoder(format: CompressedFormat, maxSeconds: number): Promise<AudioDecoder> {
  switch (format.encoding) {
    case 'mp3':
      return createMp3Decoder()
    case 'flac':
      return createFlacDecoder()
    case 'aac':
      return createAacDecoder()
    case 'ogg':
      return createOggDecoder()
    case 'webm':
      return createWebmDecoder()
    case 'm4a':
      return createM4aDecoder(maxSeconds)
    case 'mp4':
      return createMp4Decoder()
    case 'opus':
      return createRawOpusDecoder(format.channels)
  }
}
