import { SpeechError } from '../../errors.ts'
import { type Decoded, toMono } from './port.ts'

/**
 * Decodes what is a whole by itself, by a package that npm installs where it has a build for the machine.
 * @throws {@link SpeechError} 415 where it has none, or for what it cannot decode.
 */
export async function decodeWhole(
  bytes: Uint8Array,
  { name, sampleRateHz }: { name: string; sampleRateHz: number },
): Promise<Decoded[]> {
  const { OfflineAudioContext } = await loadDecoder(name)
  // At its own rate: resampling is done once, for all formats alike.
  const context = new OfflineAudioContext(1, 1, sampleRateHz)
  try {
    const own = new Uint8Array(bytes)
    const audio = await context.decodeAudioData(own.buffer)
    const channelData = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index))
    return toMono({ channelData, samplesDecoded: audio.length, sampleRate: audio.sampleRate })
  } catch (cause) {
    throw new SpeechError(415, `The ${name} audio could not be decoded.`, { cause })
  }
}

/** @throws {@link SpeechError} 415 where npm installed no decoder. */
export async function assertDecoder(name: string): Promise<void> {
  await loadDecoder(name)
}

/** What is used of the package, in the Web Audio API's words. Its own declarations would bring in a browser's globals. */
interface WebAudio {
  readonly OfflineAudioContext: new (
    channels: number,
    length: number,
    sampleRateHz: number,
  ) => {
    decodeAudioData(file: ArrayBuffer): Promise<AudioBuffer>
  }
}

interface AudioBuffer {
  readonly numberOfChannels: number
  readonly length: number
  readonly sampleRate: number
  getChannelData(channel: number): Float32Array
}

const PACKAGE: string = 'node-web-audio-api'

async function loadDecoder(name: string): Promise<WebAudio> {
  try {
    return (await import(PACKAGE)) as WebAudio
  } catch (cause) {
    const message = `${name} audio needs the package ${PACKAGE}, which is not here; npm install ${PACKAGE}.`
    throw new SpeechError(415, message, { cause })
  }
}
